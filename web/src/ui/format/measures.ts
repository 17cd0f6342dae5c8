/** The numbers of a process: what the API calls them, what people call them, and how they are written. */

import type { Measure } from "../../api/types";
import {
  formatBytes,
  formatBytesPerSecond,
  formatCount,
  formatPercent,
  formatPerSecond,
  formatShortCount,
} from "./numbers";

export type Unit = "percent" | "bytes" | "bytes/s" | "count" | "count/s";

export interface MeasureInfo {
  readonly name: Measure;
  readonly label: string;
  readonly unit: Unit;
}

export const MEASURES: readonly MeasureInfo[] = [
  { name: "cpu_total_percent", label: "CPU", unit: "percent" },
  { name: "cpu_user_percent", label: "CPU, user", unit: "percent" },
  { name: "cpu_system_percent", label: "CPU, system", unit: "percent" },
  { name: "rss_bytes", label: "Memory (RSS)", unit: "bytes" },
  { name: "vms_bytes", label: "Virtual memory", unit: "bytes" },
  { name: "shared_bytes", label: "Shared memory", unit: "bytes" },
  { name: "swap_bytes", label: "Swap", unit: "bytes" },
  { name: "threads", label: "Threads", unit: "count" },
  { name: "open_files", label: "Open files", unit: "count" },
  { name: "read_bytes_per_second", label: "Read", unit: "bytes/s" },
  { name: "write_bytes_per_second", label: "Written", unit: "bytes/s" },
  { name: "read_operations_per_second", label: "Read operations", unit: "count/s" },
  { name: "write_operations_per_second", label: "Write operations", unit: "count/s" },
  { name: "voluntary_switches", label: "Voluntary switches", unit: "count" },
  { name: "involuntary_switches", label: "Involuntary switches", unit: "count" },
];

const BY_NAME = new Map<string, MeasureInfo>(MEASURES.map((measure) => [measure.name, measure]));

export function measureOf(name: Measure): MeasureInfo {
  return BY_NAME.get(name) ?? { name, label: name, unit: "count" };
}

/** The name where it is one of a measure, else `otherwise`: for names that come from an address. */
export function measureName(name: string | undefined, otherwise: Measure): Measure {
  return (name === undefined ? undefined : BY_NAME.get(name)?.name) ?? otherwise;
}

/** What the pickers of measures offer. */
export const MEASURE_CHOICES = MEASURES.map((measure) => ({ value: measure.name, label: measure.label }));

/** `null` is what is not known, and is not zero. */
export function formatMeasure(value: number | null | undefined, unit: Unit): string {
  switch (unit) {
    case "percent":
      return formatPercent(value);
    case "bytes":
      return formatBytes(value);
    case "bytes/s":
      return formatBytesPerSecond(value);
    case "count":
      return value !== null && value !== undefined && value >= 100_000 ? formatShortCount(value) : formatCount(value);
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
  for (let power = unit === "count" ? 0 : -3; power <= 15; power += 1) {
    for (const step of [1, 2, 5]) found.push(Number(`${step}e${power}`));
  }
  return found;
}
