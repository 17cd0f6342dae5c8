/** Count, cpu, memory and I/O over the window: in total, or of the top groups. */

import { useMemo } from "react";

import type { Measure, Unit } from "../api/measures";
import type { Band, Trend, Trends } from "../api/types";
import { followsNow, useInstant, windowParams } from "../state/instant";
import { useView } from "../state/useView";
import type { Column } from "../ui/charts/series";
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
/** To the end of the minute that begins then: what was there in it is known by then. */
const END_OF_MINUTE = 59;

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
  const query = useApiQuery<Trends>(
    "/trends",
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
  found: Trends;
  isNow: boolean;
  isStacked: boolean;
  onZoom: (from: number, to: number) => void;
  onPick: (at: number) => void;
}

function Graphs({ found, isNow, isStacked, onZoom, onPick }: GraphsProps) {
  const { by, from, to, step, instants } = found.meta;
  const values = useMemo(
    () => found.trends.flatMap((one) => (one.value === null || by === null ? [] : [one.value])),
    [found, by],
  );
  const colors = useSeriesColors(values);
  const charts = useMemo(
    () =>
      GRAPHS.map((graph) => ({
        graph,
        series: found.trends.map((one): ChartSeries => ({
          key: one.is_rest ? "rest" : JSON.stringify(one.value),
          label: seriesName(one, by),
          colorIndex: one.value === null ? (by === null ? 0 : null) : (colors.get(one.value) ?? null),
          ...drawn(one, graph, !instants),
        })),
      })),
    [found, by, colors, instants],
  );
  const times = useMemo(() => middles(found), [found]);
  if (!found.meta.known) return <NoData isNow={isNow} />;
  const isEmpty = found.trends.every((one) => one.count.max.every((count) => count === null || count === 0));
  if (isEmpty) {
    return <EmptyState title="No process matches in this window">Change the search, the tags or the time.</EmptyState>;
  }
  return (
    <>
      <p className={shared.note}>
        {instants
          ? `One point every ${formatDuration(step)}. Click, or press Enter, to see the processes of that moment.`
          : `Steps of ${formatDuration(step)}: ${isStacked ? "stacked are the means; the legend says" : "the line is the mean, the band goes"}` +
            " from the least to the greatest of the minutes. Click, or press Enter, to see the processes of the step's greatest minute."}{" "}
        Drag across a graph to zoom in; the back button zooms out again.
      </p>
      <div className={classes.grid}>
        {charts.map(({ graph, series }) => (
          <TimeChart
            key={graph.measure}
            title={graph.title}
            unit={graph.unit}
            times={times}
            series={series}
            from={from}
            to={to}
            step={step}
            isStacked={isStacked}
            sync="graphs"
            height={200}
            onZoom={onZoom}
            onPick={(at) => onPick(momentOf(found, graph, times.indexOf(at)) ?? at)}
          />
        ))}
      </div>
    </>
  );
}

/** The band of a graph; null where its number was not asked for. */
function bandOf(trend: Trend, { measure }: Graph): Band | null {
  return measure === "count" ? trend.count : (trend.numbers[measure] ?? null);
}

function drawn(trend: Trend, graph: Graph, hasBand: boolean): Pick<ChartSeries, "values" | "band"> {
  const found = bandOf(trend, graph);
  const scaled = (values: Column): Column =>
    graph.unit === "cores" ? values.map((percent) => (percent === null ? null : percent / 100)) : values;
  if (found === null) return { values: [] };
  const values = scaled(found.avg);
  return hasBand ? { values, band: { least: scaled(found.min), greatest: scaled(found.max) } } : { values };
}

/** Where the steps are drawn. */
function middles({ times, meta: { step, instants, to } }: Trends): number[] {
  return instants ? times : times.map((begin) => Math.min(begin + Math.floor(step / 2), to));
}

/** What a click on a step leads to: the end of the greatest minute that any of the series has. Null where a step is an
 * instant. */
function momentOf(found: Trends, graph: Graph, index: number): number | null {
  if (found.meta.instants) return null;
  const bands = found.trends.map((one) => bandOf(one, graph));
  const most = Math.max(...bands.map((band) => band?.max[index] ?? -1));
  const greatest = bands.find((band) => band?.max[index] === most)?.max_at[index] ?? null;
  return greatest === null ? null : Math.min(greatest + END_OF_MINUTE, found.meta.to);
}

function seriesName(trend: Trend, by: string | null): string {
  if (by === null) return "All processes";
  if (trend.is_rest) return "All others";
  return trend.value ?? `Without ${by}`;
}
