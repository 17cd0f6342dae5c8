/** Numbers over time, drawn by uPlot: hover or arrow keys read them, a drag along the time zooms. */

import "uplot/dist/uPlot.min.css";

import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import uPlot from "uplot";

import { brief } from "../format/text";
import { formatFull, formatUtc } from "../format/times";
import { timeAxis, valueAxis, valueRange } from "./axes";
import classes from "./charts.module.css";
import { Legend } from "./Legend";
import { formatMeasure, type Unit } from "../format/measures";
import { colorOf, isDashed, type Scheme } from "./palette";
import { isolated, lastKnown, stacked, summary, withGaps, type Column } from "./series";

export interface ChartSeries {
  /** What tells it from the others of the chart. */
  key: string;
  label: string;
  /** Its place in the palette; null for the rest. */
  slot: number | null;
  values: Column;
}

export interface TimeChartProps {
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
  onZoom?: (from: number, to: number) => void;
}

const HAS_CANVAS = "CanvasRenderingContext2D" in window;

export function TimeChart(props: TimeChartProps) {
  const { title, unit, times, series, from, to, step, isStacked = false, sync, height = 160, onZoom } = props;
  const scheme = useComputedColorScheme("light");
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [hovered, setHovered] = useState<number | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);

  const table = useMemo(
    () =>
      withGaps(
        times,
        series.map((one) => one.values),
        step,
      ),
    [times, series, step],
  );
  const visible = series.map((one) => !hidden.has(one.key));
  const data = useMemo(() => {
    const columns = isStacked
      ? stacked(
          table.columns,
          series.map((one) => !hidden.has(one.key)),
        )
      : table.columns;
    return [table.times, ...columns.filter((_, at) => !hidden.has(series[at]?.key ?? ""))] as uPlot.AlignedData;
  }, [table, isStacked, hidden, series]);
  const latest = useRef({ from, to, onZoom, data });
  const looks = JSON.stringify(
    series.filter((one) => !hidden.has(one.key)).map((one) => [one.label, one.slot] as const),
  );

  useEffect(() => {
    latest.current = { from, to, onZoom, data };
  });

  useEffect(() => {
    const element = place.current;
    if (element === null || !HAS_CANVAS) return;
    const shown = JSON.parse(looks) as [string, number | null][];
    const made = new uPlot(
      {
        width: Math.max(element.clientWidth, 100),
        height,
        legend: { show: false },
        padding: [8, 14, 0, 0],
        cursor: {
          y: false,
          drag: { x: true, y: false, setScale: false },
          points: { size: 7 },
          ...(sync === undefined ? {} : { sync: { key: sync } }),
        },
        scales: {
          x: { time: true, range: () => [latest.current.from, Math.max(latest.current.to, latest.current.from + 1)] },
          y: { range: valueRange },
        },
        axes: [timeAxis(scheme), valueAxis(unit, scheme)],
        series: [{}, ...shown.map(([label, slot]) => look(label, slot, isStacked, scheme))],
        bands: isStacked ? shown.slice(1).map((_, at) => ({ series: [at + 1, at + 2] as [number, number] })) : [],
        hooks: {
          setCursor: [(self) => setHovered(self.cursor.idx ?? null)],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width < 6) return;
              const [begin, end] = [self.posToVal(left, "x"), self.posToVal(left + width, "x")].map(Math.round);
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              if (begin !== undefined && end !== undefined && end > begin) latest.current.onZoom?.(begin, end);
            },
          ],
        },
      },
      latest.current.data,
      element,
    );
    chart.current = made;
    const resized = new ResizeObserver(() => {
      made.setSize({ width: Math.max(element.clientWidth, 100), height });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      chart.current = null;
      made.destroy();
    };
  }, [looks, scheme, unit, isStacked, height, sync]);

  // After the chart was made anew, too: hence the same dependencies again.
  useEffect(() => {
    chart.current?.setData(data);
  }, [data, from, to, looks, scheme, unit, isStacked, height, sync]);

  const moveCursor = (event: KeyboardEvent) => {
    const self = chart.current;
    if (self === null || table.times.length === 0) return;
    const last = table.times.length - 1;
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
    let to: number;
    if (event.key === "Home") to = 0;
    else if (event.key === "End") to = last;
    else if (event.key in steps) to = Math.max(0, Math.min(last, (hovered ?? last + 1) + (steps[event.key] ?? 0)));
    else return;
    event.preventDefault();
    self.setCursor({ left: self.valToPos(table.times[to] ?? 0, "x"), top: 0 });
  };

  const hoveredAt = hovered === null ? undefined : table.times[hovered];
  const read = hoveredAt === undefined ? lastKnown(table.columns) : hovered;
  const entries = series.map((one, at) => {
    const value = read === null ? null : (table.columns[at]?.[read] ?? null);
    return {
      key: one.key,
      label: one.label,
      slot: one.slot,
      isShown: visible[at] ?? true,
      value: formatMeasure(value, unit),
    };
  });
  return (
    <figure className={classes.chart} aria-label={title}>
      <figcaption className={classes.caption}>
        <span className={classes.title}>{title}</span>
        <span className={classes.moment} title={hoveredAt === undefined ? undefined : formatUtc(hoveredAt)}>
          {hoveredAt === undefined ? "newest" : formatFull(hoveredAt)}
        </span>
      </figcaption>
      <div
        ref={place}
        className={classes.plot}
        role="img"
        aria-label={described(title, unit, series)}
        // Arrow keys move along the time.
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

function look(label: string, slot: number | null, isStacked: boolean, scheme: Scheme): uPlot.Series {
  const color = colorOf(slot, scheme);
  return {
    label,
    stroke: color,
    width: isStacked ? 1 : 1.5,
    points: { show: true, size: 4, filter: (self, at) => isolated(self.data[at] ?? []) },
    spanGaps: false,
    ...(isDashed(slot) ? { dash: [6, 4] } : {}),
    ...(isStacked ? { fill: `${color}66` } : {}),
  };
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
    const [least, newest, greatest] = [found.least, found.newest, found.greatest].map((value) =>
      formatMeasure(value, unit),
    );
    return `${brief(one.label)}: newest ${newest}, minimum ${least}, maximum ${greatest}`;
  });
  return `${title} over time. ${parts.join("; ")}`;
}
