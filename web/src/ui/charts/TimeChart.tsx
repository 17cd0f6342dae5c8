/** Numbers over time, drawn by uPlot: hover or arrow keys read them, a drag along the time zooms. */

import { useComputedColorScheme } from "@mantine/core";
import { useMemo, useState, type KeyboardEvent } from "react";
import type uPlot from "uplot";

import type { Unit } from "../../api/measures";
import { formatMeasure } from "../format/measures";
import { brief } from "../format/text";
import { formatDateTime, formatUtc } from "../format/times";
import classes from "./charts.module.css";
import { Legend } from "./Legend";
import { lastKnown, stacked, summary, withGaps, type Column, type Table } from "./series";
import { useUplot, type Threshold } from "./useUplot";

export interface ChartSeries {
  /** What tells it from the others of the chart. */
  key: string;
  label: string;
  /** In the palette; null for the rest. */
  colorIndex: number | null;
  values: Column;
  /** What the values lie between at each moment: drawn unless the series are stacked. */
  band?: { least: Column; greatest: Column };
}

interface TimeChartProps {
  title: string;
  unit: Unit;
  times: readonly number[];
  series: readonly ChartSeries[];
  from: number;
  to: number;
  /** Seconds between two moments, where they are even. */
  step?: number;
  isStacked?: boolean;
  /** Charts with the same word show the same moment. */
  sync?: string;
  height?: number;
  /** Lines across the chart, where a value begins to matter. */
  thresholds?: readonly Threshold[];
  onZoom?: (from: number, to: number) => void;
  /** A moment that was clicked at. */
  onPick?: (at: number) => void;
}

export function TimeChart(props: TimeChartProps) {
  const { title, unit, series, isStacked = false, height = 160, onPick } = props;
  const scheme = useComputedColorScheme("light");
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [hovered, setHovered] = useState<number | null>(null);

  const { table, data } = useRows(props, hidden);
  const { box, moveTo } = useUplot({
    ...drawnBy(props),
    series: series
      .filter((one) => !hidden.has(one.key))
      .map(({ label, colorIndex, band }) => ({ label, colorIndex, hasBand: band !== undefined && !isStacked })),
    data,
    isStacked,
    height,
    scheme,
    onHover: setHovered,
  });

  const hoveredAt = hovered === null ? undefined : table.times[hovered];
  const moveCursor = (event: KeyboardEvent) => {
    if (event.key === "Enter" && hoveredAt !== undefined) onPick?.(hoveredAt);
    const row = rowAfter(event.key, hovered, table.times.length);
    if (row === null) return;
    event.preventDefault();
    moveTo(table.times[row] ?? 0);
  };

  const shownRow = hoveredAt === undefined ? lastKnown(table.columns) : hovered;
  const entries = series.map((one, at) => ({
    key: one.key,
    label: one.label,
    colorIndex: one.colorIndex,
    isShown: !hidden.has(one.key),
    value: shownValue(table, at, shownRow, unit),
  }));
  return (
    <figure className={classes.chart} aria-label={title}>
      <figcaption className={classes.caption}>
        <span className={classes.title}>{title}</span>
        <span className={classes.moment} title={hoveredAt === undefined ? undefined : formatUtc(hoveredAt)}>
          {hoveredAt === undefined ? "newest" : formatDateTime(hoveredAt)}
        </span>
      </figcaption>
      <div
        ref={box}
        className={classes.plot}
        role="img"
        aria-label={described(title, unit, series)}
        tabIndex={0}
        onKeyDown={moveCursor}
      />
      <Legend
        entries={entries}
        scheme={scheme}
        onToggle={series.length < 2 ? undefined : (key) => setHidden((before) => toggled(before, key))}
      />
    </figure>
  );
}

/** What the plot takes as it is. */
function drawnBy({ unit, from, to, sync, thresholds, onZoom, onPick }: TimeChartProps) {
  return { unit, from, to, sync, thresholds, onZoom, onPick };
}

/** The rows of all series, with gaps, and what the plot shows of them: those that are not hidden, stacked or not; then
 * the greatest and the least of each that has a band. */
function useRows({ times, series, step, isStacked = false }: TimeChartProps, hidden: ReadonlySet<string>) {
  const table = useMemo(() => rowsOf(times, series, step), [times, series, step]);
  const data = useMemo(() => {
    const isVisible = series.map((one) => !hidden.has(one.key));
    const columns = isStacked ? stacked(table.columns, isVisible) : table.columns;
    const edges = isStacked ? [] : table.bands.flatMap((band, at) => (isVisible[at] ? (band ?? []) : []));
    return [table.times, ...columns.filter((_, at) => isVisible[at] ?? true), ...edges] as uPlot.AlignedData;
  }, [table, isStacked, hidden, series]);
  return { table, data };
}

interface Rows extends Table {
  /** Of each series: the greatest and the least; null where it has no band. */
  bands: ([Column, Column] | null)[];
}

function rowsOf(times: readonly number[], series: readonly ChartSeries[], step?: number): Rows {
  const edges = series.flatMap(({ band }) => (band === undefined ? [] : [band.greatest, band.least]));
  const { times: shown, columns } = withGaps(times, [...series.map((one) => one.values), ...edges], step);
  let next = series.length;
  const bands = series.map(({ band }): [Column, Column] | null =>
    band === undefined ? null : [columns[next++] ?? [], columns[next++] ?? []],
  );
  return { times: shown, columns: columns.slice(0, series.length), bands };
}

/** The number of a series at a row, and between what it lies. */
function shownValue(table: Rows, series: number, row: number | null, unit: Unit): string {
  const at = (column: Column | undefined) => formatMeasure(row === null ? null : column?.[row], unit);
  const [value, least, greatest] = [table.columns[series], table.bands[series]?.[1], table.bands[series]?.[0]].map(at);
  return table.bands[series] == null || least === greatest ? (value ?? "") : `${value} (${least} to ${greatest})`;
}

/** The row that a key leads the cursor to; null for keys that lead nowhere. */
function rowAfter(key: string, hovered: number | null, rowCount: number): number | null {
  const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
  const last = rowCount - 1;
  if (last < 0) return null;
  if (key === "Home") return 0;
  if (key === "End") return last;
  return key in steps ? Math.max(0, Math.min(last, (hovered ?? last + 1) + (steps[key] ?? 0))) : null;
}

function toggled(before: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const after = new Set(before);
  if (!after.delete(key)) after.add(key);
  return after;
}

function described(title: string, unit: Unit, series: readonly ChartSeries[]): string {
  const parts = series.slice(0, 10).map((one) => {
    const found = summary(one.values);
    if (found === null) return `${brief(one.label)}: nothing known`;
    const ends = [summary(one.band?.least ?? [])?.least, found.newest, summary(one.band?.greatest ?? [])?.greatest];
    const [least, newest, greatest] = [found.least, found.newest, found.greatest].map((value, at) =>
      formatMeasure(ends[at] ?? value, unit),
    );
    return `${brief(one.label)}: newest ${newest}, minimum ${least}, maximum ${greatest}`;
  });
  return `${title} over time. ${parts.join("; ")}`;
}
