import { useComputedColorScheme } from "@mantine/core";
import { useMemo, useState } from "react";

import type { Points } from "../api/types";
import { useFilterByGroup } from "../state/grouping/useFilterByGroup";
import { useView } from "../state/useView";
import { Legend } from "../ui/charts/Legend";
import { useSeriesColors } from "../ui/charts/useSeriesColors";
import { measureOf } from "../ui/format/measures";
import { formatCount } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import shared from "../ui/parts/parts.module.css";
import type { Dots } from "./dots";
import { PointCard } from "./PointCard";
import { PlotCanvas } from "./PlotCanvas";
import { ranked, type ScaleType } from "./scales";
import { TopTable } from "./TopTable";

/** Of the groups with the most points; the others share one colour. */
const COLORED = 10;
/** The key of the others in the legend; no group is called so. */
const REST = "\0rest";

/** The plot, its legend, and the same points as a table. */
export function ScatterPlot({ found, xScale, yScale }: { found: Points; xScale: ScaleType; yScale: ScaleType }) {
  const [, patch] = useView();
  const scheme = useComputedColorScheme("light");
  const [hovered, setHovered] = useState<number | null>(null);
  // By its id: its index may differ in the next answer.
  const [picked, setPicked] = useState<string | null>(null);
  const { id } = found.points;
  const by = found.meta.by ?? "";
  const filterBy = useFilterByGroup(by);

  const { colors, entries } = useColors(found);
  const dots = useMemo<Dots>(() => {
    const { x, y } = found.points;
    const [xAxis, yAxis] = [measureOf(found.meta.x), measureOf(found.meta.y)];
    return { noun: "processes", x, y, xAxis, yAxis, colors, radii: null };
  }, [found, colors]);
  const pickedAt = picked === null ? -1 : id.indexOf(picked);
  const active = pickedAt >= 0 ? pickedAt : hovered !== null && hovered < id.length ? hovered : null;
  return (
    <>
      <p className={shared.note} role="status">
        {formatCount(id.length)} of {formatCount(found.meta.total)} processes
        {id.length < found.meta.total && `, those with the greatest ${measureOf(found.meta.x).label}`}. Click a point to
        open its process or filter by its group. A logarithmic axis shows 0 at its edge.
      </p>
      <PlotCanvas
        dots={dots}
        xScale={xScale}
        yScale={yScale}
        scheme={scheme}
        active={active}
        onHover={setHovered}
        onPick={(point) => setPicked(point === null ? null : (id[point] ?? null))}
      >
        {active !== null && (
          <PointCard
            found={found}
            point={active}
            isPicked={pickedAt >= 0}
            onClose={() => setPicked(null)}
            onOpen={() => patch({ selected: id[active] ?? null })}
          />
        )}
      </PlotCanvas>
      <Legend
        entries={entries}
        scheme={scheme}
        titleOf={(label) => `Filter by ${brief(`${by}:${label}`)}`}
        onToggle={(value) => {
          const filters = value === REST ? null : filterBy(value);
          if (filters !== null) patch(filters);
        }}
      />
      <TopTable
        dots={dots}
        by={by}
        nameOf={(point) => groupOf(found, point)}
        onOpen={(point) => patch({ selected: id[point] ?? null })}
      />
    </>
  );
}

/** The value of a point's group; null where it has none. */
function groupOf(found: Points, point: number): string | null {
  const at = found.points.group[point] ?? null;
  return at === null ? null : (found.groups[at] ?? "");
}

/** A colour for each of the groups with the most points, and the legend that names them. */
function useColors(found: Points) {
  const { id, group } = found.points;
  const colored = useMemo(
    () =>
      ranked(found.groups, group)
        .slice(0, COLORED)
        .filter(({ points }) => points > 0),
    [found, group],
  );
  const values = useMemo(() => colored.map(({ at }) => found.groups[at] ?? ""), [colored, found]);
  const indexes = useSeriesColors(values);
  const colors = useMemo(
    () => group.map((at) => (at === null ? null : (indexes.get(found.groups[at] ?? "") ?? null))),
    [indexes, found, group],
  );
  const entries = values.map((value, at) => ({
    key: value,
    label: value === "" ? "empty" : value,
    colorIndex: indexes.get(value) ?? null,
    isShown: true,
    value: formatCount(colored[at]?.points),
  }));
  const coloredPoints = colored.reduce((sum, { points }) => sum + points, 0);
  if (coloredPoints < id.length) {
    entries.push({
      key: REST,
      label: "All others",
      colorIndex: null,
      isShown: true,
      value: formatCount(id.length - coloredPoints),
    });
  }
  return { colors, entries };
}
