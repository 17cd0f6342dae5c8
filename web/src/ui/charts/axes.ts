/** Axes of charts over time: moments in the zone that is chosen, numbers in their unit. */

import type uPlot from "uplot";

import type { Unit } from "../../api/measures";
import { formatMeasure, increments } from "../format/measures";
import { zoned } from "../format/zone";
import { CHART_INK, type Scheme } from "./palette";

const FONT = "12px system-ui, sans-serif";

const hourAndMinute = zoned({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const withSeconds = zoned({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = zoned({ month: "short", day: "numeric" });

/** Ticks of an axis of time. The day is written below where another one begins than that of `now`. */
export function timeTicks(splits: readonly number[], increment: number, now: number = Date.now() / 1000): string[] {
  let lastDay = day(new Date(now * 1000));
  return splits.map((split) => {
    const date = new Date(split * 1000);
    const itsDay = day(date);
    const isNew = itsDay !== lastDay;
    lastDay = itsDay;
    if (increment >= 86_400) return itsDay;
    const time = (increment < 60 ? withSeconds : hourAndMinute)(date);
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
    size: (_, values) => widthOf(values),
    space: 26,
    incrs: increments(unit),
    values: (_, splits) => splits.map((split) => formatMeasure(split, unit)),
  };
}

/** As much as the longest of them needs; null before there are any. */
function widthOf(labels: readonly string[] | null): number {
  return Math.max(72, 14 + 7 * Math.max(0, ...(labels ?? []).map((label) => label.length)));
}

/** From 0 to a little above the greatest, and above every threshold; an empty or flat one has some height, too. */
export function valueRange(greatest: number | null, thresholds: readonly { value: number }[] = []): [number, number] {
  const top = Math.max(greatest ?? 0, ...thresholds.map(({ value }) => value));
  return [0, top <= 0 ? 1 : top * 1.08];
}
