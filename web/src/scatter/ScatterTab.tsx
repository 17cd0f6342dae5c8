/** Two numbers of each process of the instant, as a dot; dots of a colour have the same command, or another tag. */

import { Button, Group, SegmentedControl, Text, useComputedColorScheme } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useCallback, useMemo, useState } from "react";

import type { OneProcess, Points } from "../api/types";
import { Legend } from "../ui/charts/Legend";
import { formatMeasure, measureName, measureOf } from "../ui/format/measures";
import { useSlots } from "../ui/charts/useSlots";
import { formatCount } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import { nameOf } from "../ui/format/processNames";
import { Answer } from "../ui/parts/Answer";
import { GroupByPicker } from "../state/grouping/GroupByPicker";
import { MeasurePicker } from "../ui/parts/MeasurePicker";
import shared from "../ui/parts/parts.module.css";
import { useAnswer } from "../ui/parts/useAnswer";
import { useFilterByGroup } from "../state/grouping/useFilterByGroup";
import { Empty } from "../ui/parts/Empty";
import { NothingKnown } from "../ui/parts/NothingKnown";
import { followsNow, instantParams, useInstant } from "../state/instant";
import { useExtra, useView } from "../state/useView";
import { TopTable } from "./TopTable";
import { Plot } from "./Plot";
import { ranked, type ScaleType } from "./scales";
import classes from "./scatter.module.css";

const LIMIT = 5000;
/** Of the groups with the most dots; the others share one colour. */
const COLORED = 10;

export function ScatterTab() {
  const [view, patch] = useView();
  const instant = useInstant();
  const [xText, setX] = useExtra("x", "cpu_total_percent");
  const [yText, setY] = useExtra("y", "rss_bytes");
  const [xScale, setXScale] = useScaleType("xscale");
  const [yScale, setYScale] = useScaleType("yscale");
  const x = measureName(xText, "cpu_total_percent");
  const y = measureName(yText, "rss_bytes");
  const query = useAnswer<Points>(
    "/points",
    { ...instantParams(view, instant), x, y, by: view.by, limit: LIMIT },
    { isMoving: instant.isLive },
  );
  return (
    <section className={shared.tab} aria-label="Scatter plot">
      <div className={shared.bar}>
        <MeasurePicker label="X axis" value={x} onChange={(measure) => setX(measure)} />
        <ScalePicker label="Scale of the X axis" value={xScale} onChange={setXScale} />
        <MeasurePicker label="Y axis" value={y} onChange={(measure) => setY(measure)} />
        <ScalePicker label="Scale of the Y axis" value={yScale} onChange={setYScale} />
        <GroupByPicker label="Colour by" value={view.by} onChange={(by) => patch({ by })} />
      </div>
      <Answer query={query} label="Loading points" isMoving={instant.isLive}>
        {(found) =>
          !found.meta.known ? (
            <NothingKnown isNow={followsNow(view.time)} />
          ) : found.points.id.length === 0 ? (
            <Empty title="No process has both measures">
              Choose other measures, or change the search, the tags or the time.
            </Empty>
          ) : (
            <Dots found={found} xScale={xScale} yScale={yScale} />
          )
        }
      </Answer>
    </section>
  );
}

function useScaleType(key: string): [ScaleType, (type: ScaleType) => void] {
  const [text, set] = useExtra(key, "log");
  return [text === "linear" ? "linear" : "log", set];
}

function ScalePicker({ label, value, onChange }: { label: string; value: ScaleType; onChange: (type: ScaleType) => void }) {
  return (
    <SegmentedControl
      size="xs"
      aria-label={label}
      data={[
        { value: "linear", label: "Linear" },
        { value: "log", label: "Log" },
      ]}
      value={value}
      onChange={(type) => onChange(type === "linear" ? "linear" : "log")}
    />
  );
}

function Dots({ found, xScale, yScale }: { found: Points; xScale: ScaleType; yScale: ScaleType }) {
  const [, patch] = useView();
  const scheme = useComputedColorScheme("light");
  const [hovered, setHovered] = useState<number | null>(null);
  // By its id: in the next answer it may have another place.
  const [picked, setPicked] = useState<string | null>(null);
  const { id, group } = found.points;
  const by = found.meta.by ?? "";
  const filterBy = useFilterByGroup(by);

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
      key: "\0rest",
      label: "All others",
      slot: null,
      isShown: true,
      value: formatCount(id.length - colouredDots),
    });
  }
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
          <Card
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
        says={(label) => `Filter by ${brief(`${by}:${label}`)}`}
        onToggle={(value) => {
          const filters = value === "\0rest" ? null : filterBy(value);
          if (filters !== null) patch(filters);
        }}
      />
      <TopTable found={found} onOpen={(process) => patch({ selected: process })} />
    </>
  );
}

interface CardProps {
  found: Points;
  dot: number;
  isPicked: boolean;
  onClose: () => void;
  onOpen: () => void;
}

/** What a dot is. Its name is asked for once the pointer rests. */
function Card({ found, dot, isPicked, onClose, onOpen }: CardProps) {
  const [, patch] = useView();
  const { id, x, y, group } = found.points;
  const [rested] = useDebouncedValue(id[dot] ?? "", 120);
  const one = useAnswer<OneProcess>(`/processes/${rested}`, { at: found.meta.at }, { isEnabled: rested !== "" });
  const process = one.data?.data.id === id[dot] ? one.data?.data.attributes : undefined;
  const [xInfo, yInfo] = [measureOf(found.meta.x), measureOf(found.meta.y)];
  const by = found.meta.by ?? "";
  const filterBy = useFilterByGroup(by);
  const at = group[dot] ?? null;
  const value = at === null ? null : (found.groups[at] ?? null);
  const [only, without] = [filterBy(value), filterBy(value, true)];
  const filter = (filters: NonNullable<typeof only>) => {
    onClose();
    patch(filters);
  };
  return (
    <>
      <Text size="sm" fw={600} className={classes.line}>
        <bdi>{process === undefined ? brief(value ?? "…") : brief(nameOf(process))}</bdi>
      </Text>
      <Text size="xs" c="var(--ink-quiet)" className={classes.line}>
        {process === undefined ? (
          one.isError ? (
            "Its name could not be loaded."
          ) : (
            "…"
          )
        ) : (
          <>
            pid {process.pid} of <bdi>{brief(process.user)}</bdi> on <bdi>{brief(process.host)}</bdi>
          </>
        )}
      </Text>
      <Text size="xs" className={classes.line}>
        {xInfo.label} {formatMeasure(x[dot], xInfo.unit)}, {yInfo.label} {formatMeasure(y[dot], yInfo.unit)}
      </Text>
      {by !== "command" && (
        <Text size="xs" className={classes.line}>
          <bdi>{value === null ? `without ${by}` : brief(`${by}:${value}`)}</bdi>
        </Text>
      )}
      {isPicked && (
        <Group gap={4} mt={6}>
          <Button size="compact-xs" onClick={onOpen}>
            Open
          </Button>
          {only !== null && (
            <Button size="compact-xs" variant="default" onClick={() => filter(only)}>
              Filter
            </Button>
          )}
          {without !== null && (
            <Button size="compact-xs" variant="default" onClick={() => filter(without)}>
              Exclude
            </Button>
          )}
          <Button size="compact-xs" variant="subtle" color="gray" onClick={onClose}>
            Close
          </Button>
        </Group>
      )}
    </>
  );
}
