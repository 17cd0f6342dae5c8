/** A chart of uPlot in an element: made anew when it looks different, and given new data otherwise. */

import "uplot/dist/uPlot.min.css";

import { useEffect, useRef, type RefObject } from "react";
import uPlot from "uplot";

import type { Unit } from "../../api/measures";
import { timeAxis, valueAxis, valueRange } from "./axes";
import { colorOf, isDashed, type Scheme } from "./palette";
import { isolated } from "./series";

const HAS_CANVAS = "CanvasRenderingContext2D" in window;

interface UplotInput {
  unit: Unit;
  /** Those that are shown, in the order of the columns of `data`. */
  series: readonly { label: string; colorIndex: number | null }[];
  data: uPlot.AlignedData;
  from: number;
  to: number;
  isStacked: boolean;
  sync: string | undefined;
  height: number;
  scheme: Scheme;
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
  const { unit, series, data, from, to, isStacked, sync, height, scheme, onZoom, onPick, onHover } = input;
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const latest = useRef({ from, to, onZoom, onPick, onHover, data });
  const looks = JSON.stringify(series.map((one) => [one.label, one.colorIndex] as const));

  useEffect(() => {
    latest.current = { from, to, onZoom, onPick, onHover, data };
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
  }, [data, from, to, looks, scheme, unit, isStacked, height, sync]);

  const moveTo = (moment: number) => {
    chart.current?.setCursor({ left: chart.current.valToPos(moment, "x"), top: 0 });
  };
  return { box, moveTo };
}

type Look = readonly [label: string, colorIndex: number | null];
type Style = Pick<UplotInput, "unit" | "scheme" | "isStacked" | "sync">;
type Latest = Pick<UplotInput, "from" | "to" | "onZoom" | "onPick" | "onHover">;

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
  return {
    legend: { show: false },
    padding: [8, 14, 0, 0],
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
      ...(sync === undefined ? {} : { sync: { key: sync } }),
    },
    scales: { x: { time: true, range: timeRange }, y: { range: valueRange } },
    axes: [timeAxis(scheme), valueAxis(unit, scheme)],
    series: [{}, ...looks.map((look) => seriesOf(look, isStacked, scheme))],
    bands: isStacked ? looks.slice(1).map((_, at) => ({ series: [at + 1, at + 2] as [number, number] })) : [],
    hooks: {
      setCursor: [(self) => latest().onHover(self.cursor.idx ?? null)],
      setSelect: [zoom],
      ready: [(self) => self.over.addEventListener("click", () => pick(self))],
    },
  };
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
