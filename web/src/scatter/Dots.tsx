import { useComputedColorScheme } from "@mantine/core";
import { useCallback, useMemo, useState } from "react";

import type { Points } from "../api/types";
import { useFilterByGroup } from "../state/grouping/useFilterByGroup";
import { useView } from "../state/useView";
import { Legend } from "../ui/charts/Legend";
import { useSlots } from "../ui/charts/useSlots";
import { measureOf } from "../ui/format/measures";
import { formatCount } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import shared from "../ui/parts/parts.module.css";
import { DotCard } from "./DotCard";
import { Plot } from "./Plot";
import { ranked, type ScaleType } from "./scales";
import { TopTable } from "./TopTable";

/** Of the groups with the most dots; the others share one colour. */
const COLORED = 10;
/** The key of the others in the legend; no group is called so. */
const REST = "\0rest";

/** The plot, its legend, and the same dots as a table. */
export function Dots({ found, xScale, yScale }: { found: Points; xScale: ScaleType; yScale: ScaleType }) {
  const [, patch] = useView();
  const scheme = useComputedColorScheme("light");
  const [hovered, setHovered] = useState<number | null>(null);
  // By its id: its index may differ in the next answer.
  const [picked, setPicked] = useState<string | null>(null);
  const { id } = found.points;
  const by = found.meta.by ?? "";
  const filterBy = useFilterByGroup(by);

  const { slotOf, entries } = useColors(found);
  const pickedAt = picked === null ? -1 : id.indexOf(picked);
  const active = pickedAt >= 0 ? pickedAt : hovered !== null && hovered < id.length ? hovered : null;
  return (
    <>
      <p className={shared.note} role="status">
        {formatCount(id.length)} of {formatCount(found.meta.total)} processes
        {id.length < found.meta.total && `, those with the greatest ${measureOf(found.meta.x).label}`}. Click a dot to
        open its process or filter by its group. A logarithmic axis shows 0 at its edge.
      </p>
      <Plot
        found={found}
        xScale={xScale}
        yScale={yScale}
        scheme={scheme}
        slotOf={slotOf}
        active={active}
        onHover={setHovered}
        onPick={(dot) => setPicked(dot === null ? null : (id[dot] ?? null))}
      >
        {active !== null && (
          <DotCard
            found={found}
            dot={active}
            isPicked={pickedAt >= 0}
            onClose={() => setPicked(null)}
            onOpen={() => patch({ selected: id[active] ?? null })}
          />
        )}
      </Plot>
      <Legend
        entries={entries}
        scheme={scheme}
        titleOf={(label) => `Filter by ${brief(`${by}:${label}`)}`}
        onToggle={(value) => {
          const filters = value === REST ? null : filterBy(value);
          if (filters !== null) patch(filters);
        }}
      />
      <TopTable found={found} onOpen={(process) => patch({ selected: process })} />
    </>
  );
}

/** A colour for each of the groups with the most dots, and the legend that names them. */
function useColors(found: Points) {
  const { id, group } = found.points;
  const colored = useMemo(
    () =>
      ranked(found.groups, group)
        .slice(0, COLORED)
        .filter(({ dots }) => dots > 0),
    [found, group],
  );
  const values = useMemo(() => colored.map(({ at }) => found.groups[at] ?? ""), [colored, found]);
  const slots = useSlots(values);
  const slotOf = useCallback(
    (at: number | null) => (at === null ? null : (slots.get(found.groups[at] ?? "") ?? null)),
    [slots, found],
  );
  const entries = values.map((value, at) => ({
    key: value,
    label: value === "" ? "empty" : value,
    slot: slots.get(value) ?? null,
    isShown: true,
    value: formatCount(colored[at]?.dots),
  }));
  const colouredDots = colored.reduce((sum, { dots }) => sum + dots, 0);
  if (colouredDots < id.length) {
    entries.push({
      key: REST,
      label: "All others",
      slot: null,
      isShown: true,
      value: formatCount(id.length - colouredDots),
    });
  }
  return { slotOf, entries };
}
