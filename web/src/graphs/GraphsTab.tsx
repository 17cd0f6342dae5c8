/** Count, cpu, memory and I/O over the window: in total, or of the top groups. */

import { SegmentedControl, Select } from "@mantine/core";
import { useMemo } from "react";

import type { Measure, Series, Timeseries } from "../api/types";
import { measureName, MEASURE_CHOICES, type Unit } from "../ui/format/measures";
import { TimeChart, type ChartSeries } from "../ui/charts/TimeChart";
import { useSlots } from "../ui/charts/useSlots";
import { Answer } from "../ui/parts/Answer";
import { GroupByPicker } from "../state/grouping/GroupByPicker";
import shared from "../ui/parts/parts.module.css";
import { useAnswer } from "../ui/parts/useAnswer";
import { formatDuration } from "../ui/format/numbers";
import { Empty } from "../ui/parts/Empty";
import { NothingKnown } from "../ui/parts/NothingKnown";
import { followsNow, useInstant, windowParams } from "../state/instant";
import { useExtra, useView } from "../state/useView";
import classes from "./graphs.module.css";

interface Graph {
  title: string;
  unit: Unit;
  measure: Measure | "count";
}

const GRAPHS: readonly Graph[] = [
  { title: "Processes", unit: "count", measure: "count" },
  { title: "CPU", unit: "percent", measure: "cpu_total_percent" },
  { title: "Memory (RSS)", unit: "bytes", measure: "rss_bytes" },
  { title: "Read", unit: "bytes/s", measure: "read_bytes_per_second" },
  { title: "Written", unit: "bytes/s", measure: "write_bytes_per_second" },
];

/** Snapshots come every ten seconds: more moments than those of fifteen minutes say no more. */
const POINTS = 90;
/** A live window moves by this, and not by every live step: each answer reads the whole window. */
const LIVE_STEP = 10;

export function GraphsTab() {
  const [view, patch] = useView();
  const instant = useInstant();
  const [mode, setMode] = useExtra("graphs", "top");
  const [style, setStyle] = useExtra("graphstyle", "stacked");
  const [top, setTop] = useExtra("top", "5");
  const [rankText, setRank] = useExtra("rank", "cpu_total_percent");
  const isGrouped = mode !== "total";
  const limit = ["5", "10", "20"].includes(top) ? Number(top) : 5;
  const rank = rankText === "count" ? "count" : measureName(rankText, "cpu_total_percent");
  const window = useMemo(() => {
    if (!instant.isLive) return instant.window;
    const to = Math.floor(instant.window.to / LIVE_STEP) * LIVE_STEP;
    return { from: to - (instant.window.to - instant.window.from), to };
  }, [instant]);
  const query = useAnswer<Timeseries>(
    "/timeseries",
    {
      ...windowParams(view, { window }),
      points: POINTS,
      ...(isGrouped ? { by: view.by, limit, rank } : {}),
    },
    { isMoving: instant.isLive },
  );
  return (
    <section className={shared.tab} aria-label="Graphs">
      <div className={shared.bar}>
        <SegmentedControl
          size="xs"
          aria-label="Total or top groups"
          data={[
            { value: "total", label: "Total" },
            { value: "top", label: "Top groups" },
          ]}
          value={isGrouped ? "top" : "total"}
          onChange={setMode}
        />
        {isGrouped && (
          <>
            <GroupByPicker label="Group by" value={view.by} onChange={(by) => patch({ by })} />
            <Select
              label="Top"
              size="xs"
              w={80}
              data={["5", "10", "20"]}
              value={String(limit)}
              allowDeselect={false}
              onChange={(value) => setTop(value)}
            />
            <Select
              label="Ranked by"
              size="xs"
              w={170}
              data={[{ value: "count", label: "Processes" }, ...MEASURE_CHOICES]}
              value={rank}
              allowDeselect={false}
              onChange={(value) => setRank(value)}
            />
            <SegmentedControl
              size="xs"
              aria-label="Stacked or lines"
              data={[
                { value: "stacked", label: "Stacked" },
                { value: "lines", label: "Lines" },
              ]}
              value={style === "lines" ? "lines" : "stacked"}
              onChange={setStyle}
            />
          </>
        )}
      </div>
      <Answer query={query} label="Loading graphs" isMoving={instant.isLive}>
        {(found) => (
          <Graphs
            found={found}
            isNow={followsNow(view.time)}
            isStacked={isGrouped && style !== "lines"}
            onZoom={(from, to) => patch({ time: { mode: "range", from, to } })}
          />
        )}
      </Answer>
    </section>
  );
}

interface GraphsProps {
  found: Timeseries;
  isNow: boolean;
  isStacked: boolean;
  onZoom: (from: number, to: number) => void;
}

function Graphs({ found, isNow, isStacked, onZoom }: GraphsProps) {
  const { by, from, to, step } = found.meta;
  const values = useMemo(
    () => found.series.flatMap((one) => (one.value === null || by === null ? [] : [one.value])),
    [found, by],
  );
  const slots = useSlots(values);
  const charts = useMemo(
    () =>
      GRAPHS.map((graph) => ({
        graph,
        series: found.series.map((one): ChartSeries => ({
          key: one.is_rest ? "rest" : JSON.stringify(one.value),
          label: nameOf(one, by),
          slot: one.value === null ? (by === null ? 0 : null) : (slots.get(one.value) ?? null),
          values: graph.measure === "count" ? one.count : (one.numbers[graph.measure] ?? []),
        })),
      })),
    [found, by, slots],
  );
  if (!found.meta.known) return <NothingKnown isNow={isNow} />;
  const isEmpty = found.series.every((one) => one.count.every((count) => count === null || count === 0));
  if (isEmpty) {
    return <Empty title="No process matches in this window">Change the search, the tags or the time.</Empty>;
  }
  return (
    <>
      <p className={shared.note}>
        One point every {formatDuration(step)}. Drag across a graph to zoom in; the back button zooms out again.
      </p>
      <div className={classes.grid}>
        {charts.map(({ graph, series }) => (
          <TimeChart
            key={graph.measure}
            title={graph.title}
            unit={graph.unit}
            times={found.times}
            series={series}
            from={from}
            to={to}
            step={step}
            isStacked={isStacked}
            sync="graphs"
            height={200}
            onZoom={onZoom}
          />
        ))}
      </div>
    </>
  );
}

function nameOf(series: Series, by: string | null): string {
  if (by === null) return "All processes";
  if (series.is_rest) return "All others";
  return series.value ?? `Without ${by}`;
}
