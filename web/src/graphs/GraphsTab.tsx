/** Count, cpu, memory and I/O over the window: in total, or of the top groups. */

import { useMemo } from "react";

import type { Measure, Unit } from "../api/measures";
import type { Series, Timeseries } from "../api/types";
import { followsNow, useInstant, windowParams } from "../state/instant";
import { useView } from "../state/useView";
import { TimeChart, type ChartSeries } from "../ui/charts/TimeChart";
import { useSeriesColors } from "../ui/charts/useSeriesColors";
import { formatDuration } from "../ui/format/numbers";
import { QueryResult } from "../ui/parts/QueryResult";
import { EmptyState } from "../ui/parts/EmptyState";
import { NoData } from "../ui/parts/NoData";
import shared from "../ui/parts/parts.module.css";
import { useApiQuery } from "../ui/parts/useApiQuery";
import { GraphOptions } from "./GraphOptions";
import classes from "./graphs.module.css";
import { useGraphOptions } from "./useGraphOptions";

interface Graph {
  title: string;
  unit: Unit;
  measure: Measure | "count";
}

const GRAPHS: readonly Graph[] = [
  { title: "Processes", unit: "count", measure: "count" },
  { title: "CPU", unit: "cores", measure: "cpu_total_percent" },
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
  const options = useGraphOptions();
  const { isGrouped, limit, rank } = options;
  const window = useMemo(() => {
    if (!instant.isLive) return instant.window;
    const to = Math.floor(instant.window.to / LIVE_STEP) * LIVE_STEP;
    return { from: to - (instant.window.to - instant.window.from), to };
  }, [instant]);
  const query = useApiQuery<Timeseries>(
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
      <GraphOptions options={options} />
      <QueryResult query={query} label="Loading graphs" isMoving={instant.isLive}>
        {(found) => (
          <Graphs
            found={found}
            isNow={followsNow(view.time)}
            isStacked={isGrouped && options.isStacked}
            onZoom={(from, to) => patch({ time: { mode: "range", from, to } })}
            onPick={(at) => patch({ tab: "table", time: { mode: "at", at } })}
          />
        )}
      </QueryResult>
    </section>
  );
}

interface GraphsProps {
  found: Timeseries;
  isNow: boolean;
  isStacked: boolean;
  onZoom: (from: number, to: number) => void;
  onPick: (at: number) => void;
}

function Graphs({ found, isNow, isStacked, onZoom, onPick }: GraphsProps) {
  const { by, from, to, step } = found.meta;
  const values = useMemo(
    () => found.series.flatMap((one) => (one.value === null || by === null ? [] : [one.value])),
    [found, by],
  );
  const colors = useSeriesColors(values);
  const charts = useMemo(
    () =>
      GRAPHS.map((graph) => ({
        graph,
        series: found.series.map((one): ChartSeries => ({
          key: one.is_rest ? "rest" : JSON.stringify(one.value),
          label: seriesName(one, by),
          colorIndex: one.value === null ? (by === null ? 0 : null) : (colors.get(one.value) ?? null),
          values: valuesOf(one, graph),
        })),
      })),
    [found, by, colors],
  );
  if (!found.meta.known) return <NoData isNow={isNow} />;
  const isEmpty = found.series.every((one) => one.count.every((count) => count === null || count === 0));
  if (isEmpty) {
    return <EmptyState title="No process matches in this window">Change the search, the tags or the time.</EmptyState>;
  }
  return (
    <>
      <p className={shared.note}>
        One point every {formatDuration(step)}. Click, or press Enter, to see the processes of that moment. Drag
        across a graph to zoom in; the back button zooms out again.
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
            onPick={onPick}
          />
        ))}
      </div>
    </>
  );
}

function valuesOf(series: Series, { measure, unit }: Graph): (number | null)[] {
  if (measure === "count") return series.count;
  const values = series.numbers[measure] ?? [];
  return unit === "cores" ? values.map((percent) => (percent === null ? null : percent / 100)) : values;
}

function seriesName(series: Series, by: string | null): string {
  if (by === null) return "All processes";
  if (series.is_rest) return "All others";
  return series.value ?? `Without ${by}`;
}
