/** A chart of uPlot in an element: made anew when it looks different, and given new data otherwise. */

import "uplot/dist/uPlot.min.css";

import { useEffect, useRef, type RefObject } from "react";
import uPlot from "uplot";

import type { Unit } from "../../api/measures";
import { timeZone } from "../format/zone";
import { timeAxis, valueAxis, valueRange } from "./axes";
import { CHART_INK, colorOf, isDashed, type Scheme } from "./palette";
import { isolated } from "./series";

const HAS_CANVAS = "CanvasRenderingContext2D" in window;

export interface Threshold {
  value: number;
  level: "critical" | "warning";
}

interface UplotInput {
  unit: Unit;
  /** Those that are shown, in the order of the columns of `data`; after them two columns for each that has a band. */
  series: readonly { label: string; colorIndex: number | null; hasBand: boolean }[];
  data: uPlot.AlignedData;
  from: number;
  to: number;
  isStacked: boolean;
  sync: string | undefined;
  height: number;
  scheme: Scheme;
  thresholds: readonly Threshold[] | undefined;
  onZoom: ((from: number, to: number) => void) | undefined;
  /** A moment of `data` that was clicked at. */
  onPick: ((at: number) => void) | undefined;
  /** Tells the row of `data` below the pointer. */
  onHover: (row: number | null) => void;
}

interface Uplot {
  /** For the element that the chart goes into. */
  box: RefObject<HTMLDivElement | null>;
  /** Puts the cursor on a moment. */
  moveTo: (moment: number) => void;
}

export function useUplot(input: UplotInput): Uplot {
  const { unit, series, data, from, to, isStacked, sync, height, scheme, thresholds, onZoom, onPick, onHover } = input;
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const latest = useRef({ from, to, thresholds, onZoom, onPick, onHover, data });
  const looks = JSON.stringify(series.map((one) => [one.label, one.colorIndex, one.hasBand] as const));

  useEffect(() => {
    latest.current = { from, to, thresholds, onZoom, onPick, onHover, data };
  });

  useEffect(() => {
    const element = box.current;
    if (element === null || !HAS_CANVAS) return;
    const shown = JSON.parse(looks) as Look[];
    const size = { width: Math.max(element.clientWidth, 100), height };
    const options = optionsOf(shown, { unit, scheme, isStacked, sync }, () => latest.current);
    const made = new uPlot({ ...size, ...options }, latest.current.data, element);
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
  }, [data, from, to, thresholds, looks, scheme, unit, isStacked, height, sync]);

  const moveTo = (moment: number) => {
    chart.current?.setCursor({ left: chart.current.valToPos(moment, "x"), top: 0 });
  };
  return { box, moveTo };
}

type Look = readonly [label: string, colorIndex: number | null, hasBand: boolean];
type Style = Pick<UplotInput, "unit" | "scheme" | "isStacked" | "sync">;
type Latest = Pick<UplotInput, "from" | "to" | "thresholds" | "onZoom" | "onPick" | "onHover">;

/** `latest` gives what may change while the chart is the same one. */
function optionsOf(
  looks: readonly Look[],
  { unit, scheme, isStacked, sync }: Style,
  latest: () => Latest,
): Omit<uPlot.Options, "width" | "height"> {
  const timeRange = (): [number, number] => [latest().from, Math.max(latest().to, latest().from + 1)];
  const zoom = (self: uPlot) => {
    const { left, width } = self.select;
    if (width < 6) return;
    const [begin, end] = [self.posToVal(left, "x"), self.posToVal(left + width, "x")].map(Math.round);
    self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (begin !== undefined && end !== undefined && end > begin) latest().onZoom?.(begin, end);
  };
  // uPlot keeps the click that ends a drag to itself.
  const pick = (self: uPlot) => {
    const { idx } = self.cursor;
    const at = typeof idx === "number" ? self.data[0][idx] : undefined;
    if (at !== undefined) latest().onPick?.(at);
  };
  const banded = looks.filter(([, , hasBand]) => hasBand);
  return {
    legend: { show: false },
    // Where days and hours begin.
    ...(timeZone() === undefined ? {} : { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") }),
    padding: [8, 14, 0, 0],
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
      ...(sync === undefined ? {} : { sync: { key: sync } }),
    },
    scales: { x: { time: true, range: timeRange }, y: { range: (_, __, greatest) => valueRange(greatest, latest().thresholds) } },
    axes: [timeAxis(scheme), valueAxis(unit, scheme)],
    series: [{}, ...looks.map((look) => seriesOf(look, isStacked, scheme)), ...banded.flatMap((look) => edgesOf(look, scheme))],
    bands: isStacked
      ? looks.slice(1).map((_, at) => ({ series: [at + 1, at + 2] as [number, number] }))
      : banded.map(([, colorIndex], at) => ({
          series: [looks.length + 1 + 2 * at, looks.length + 2 + 2 * at] as [number, number],
          fill: `${colorOf(colorIndex, scheme)}44`,
        })),
    hooks: {
      setCursor: [(self) => latest().onHover(self.cursor.idx ?? null)],
      setSelect: [zoom],
      draw: [(self) => drawThresholds(self, latest().thresholds ?? [], scheme)],
      ready: [(self) => self.over.addEventListener("click", () => pick(self))],
    },
  };
}

function drawThresholds(self: uPlot, thresholds: readonly Threshold[], scheme: Scheme): void {
  const { ctx, bbox } = self;
  ctx.save();
  ctx.lineWidth = 1.5 * devicePixelRatio;
  for (const { value, level } of thresholds) {
    const y = Math.round(self.valToPos(value, "y", true));
    ctx.strokeStyle = CHART_INK[scheme][level];
    ctx.setLineDash(level === "warning" ? [6 * devicePixelRatio, 4 * devicePixelRatio] : []);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

/** The greatest and the least, between which the band is. */
function edgesOf([label, colorIndex]: Look, scheme: Scheme): uPlot.Series[] {
  const edge = { stroke: `${colorOf(colorIndex, scheme)}66`, width: 0.5, points: { show: false }, spanGaps: false };
  return [
    { label: `${label}: greatest`, ...edge },
    { label: `${label}: least`, ...edge },
  ];
}

function seriesOf([label, colorIndex]: Look, isStacked: boolean, scheme: Scheme): uPlot.Series {
  const color = colorOf(colorIndex, scheme);
  return {
    label,
    stroke: color,
    width: isStacked ? 1 : 1.5,
    points: { show: true, size: 4, filter: (self, at) => isolated(self.data[at] ?? []) },
    spanGaps: false,
    ...(isDashed(colorIndex) ? { dash: [6, 4] } : {}),
    ...(isStacked ? { fill: `${color}66` } : {}),
  };
}
