/** How the numbers of a process are looked up by name, chosen and written. */

import { MEASURES, STATISTICS, type Measure, type MeasureInfo, type Statistic, type Unit } from "../../api/measures";
import {
  formatBytes,
  formatBytesPerSecond,
  formatCores,
  formatCount,
  formatPercent,
  formatPerSecond,
  formatShortCount,
} from "./numbers";

const BY_NAME = new Map<string, MeasureInfo>(MEASURES.map((measure) => [measure.name, measure]));

export function measureOf(name: Measure): MeasureInfo {
  return BY_NAME.get(name) ?? { name, label: name, unit: "count", column: [name, 92] };
}

/** The name where it is one of a measure, else `otherwise`: for names that come from an address. */
export function measureName(name: string | undefined, otherwise: Measure): Measure {
  return (name === undefined ? undefined : BY_NAME.get(name)?.name) ?? otherwise;
}

/** What the pickers of measures offer. */
export const MEASURE_CHOICES = MEASURES.map((measure) => ({ value: measure.name, label: measure.label }));

const STATISTIC_LABELS: Readonly<Record<Statistic, string>> = {
  sum: "Sum",
  avg: "Average",
  p50: "Median",
  p95: "95th percentile",
  max: "Maximum",
};

/** As it is written after the name of a measure. */
export const STATISTIC_HEADINGS: Readonly<Record<Statistic, string>> = {
  sum: "sum",
  avg: "average",
  p50: "median",
  p95: "p95",
  max: "max",
};

/** What the pickers of statistics offer. */
export const STATISTIC_CHOICES = STATISTICS.map((statistic) => ({ value: statistic, label: STATISTIC_LABELS[statistic] }));

/** `null` is what is not known, and is not zero. */
export function formatMeasure(value: number | null | undefined, unit: Unit): string {
  switch (unit) {
    case "percent":
      return formatPercent(value);
    case "cores":
      return formatCores(value);
    case "bytes":
      return formatBytes(value);
    case "bytes/s":
      return formatBytesPerSecond(value);
    case "count":
      if (value === null || value === undefined) return formatCount(value);
      // An average has fractions.
      return value >= 100_000 ? formatShortCount(value) : formatCount(Math.round(value * 10) / 10);
    case "count/s":
      return formatPerSecond(value);
  }
}

/** Distances of an axis's ticks that are round in the unit: powers of two for bytes. */
export function increments(unit: Unit): number[] {
  const found: number[] = [];
  if (unit === "bytes" || unit === "bytes/s") {
    for (let power = 0; power <= 60; power += 1) found.push(2 ** power);
    return found;
  }
  for (let power = { count: 0, cores: -2 }[unit as string] ?? -3; power <= 15; power += 1) {
    for (const step of [1, 2, 5]) found.push(Number(`${step}e${power}`));
  }
  return found;
}
