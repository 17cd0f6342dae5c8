/** Values of monitors, in the unit of what they measure. */

import type { Unit } from "../../api/measures";
import type { QueryParts } from "../../api/monitors";
import { formatMeasure, measureName, measureOf } from "../../ui/format/measures";

type Measured = Pick<QueryParts, "function" | "measure">;

export function unitOf(query: Measured | undefined): Unit {
  return query?.measure ? measureOf(measureName(query.measure, "rss_bytes")).unit : "count";
}

export function formatValue(value: number | null, query: Measured | undefined): string {
  return formatMeasure(value, unitOf(query));
}

/** A group in words: a monitor that groups by nothing has one of all. */
export function groupLabel(group: string): string {
  return group === "*" ? "All processes" : group;
}
