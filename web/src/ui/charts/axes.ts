/** Axes of charts over time: moments in the viewer's zone, numbers in their unit. */

import type uPlot from "uplot";

import type { Unit } from "../../api/measures";
import { formatMeasure, increments } from "../format/measures";
import { CHART_INK, type Scheme } from "./palette";

const FONT = "12px system-ui, sans-serif";

const hourAndMinute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const withSeconds = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/** Ticks of an axis of time. The day is written below where another one begins than that of `now`. */
export function timeTicks(splits: readonly number[], increment: number, now: number = Date.now() / 1000): string[] {
  let lastDay = day.format(new Date(now * 1000));
  return splits.map((split) => {
    const date = new Date(split * 1000);
    const itsDay = day.format(date);
    const isNew = itsDay !== lastDay;
    lastDay = itsDay;
    if (increment >= 86_400) return itsDay;
    const time = (increment < 60 ? withSeconds : hourAndMinute).format(date);
    return isNew ? `${time}\n${itsDay}` : time;
  });
}

export function timeAxis(scheme: Scheme): uPlot.Axis {
  const { text, grid } = CHART_INK[scheme];
  return {
    stroke: text,
    font: FONT,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1, size: 4 },
    space: 70,
    size: (_, values) => (((values as string[] | null) ?? []).some((value) => value.includes("\n")) ? 40 : 26),
    values: (_, splits, __, ___, increment) => timeTicks(splits, increment),
  };
}

export function valueAxis(unit: Unit, scheme: Scheme): uPlot.Axis {
  const { text, grid } = CHART_INK[scheme];
  return {
    stroke: text,
    font: FONT,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
    size: 72,
    space: 26,
    incrs: increments(unit),
    values: (_, splits) => splits.map((split) => formatMeasure(split, unit)),
  };
}

/** From 0 to a little above the greatest; an empty or flat one has some height, too. */
export function valueRange(_: unknown, __: number | null, greatest: number | null): [number, number] {
  return [0, greatest === null || greatest <= 0 ? 1 : greatest * 1.08];
}
