import { MEASURES, type Measure } from "../api/measures";

export const DEFAULT_MEASURES = "cpu_total_percent,rss_bytes";

/** Names of measures, as an address has them: what is none is left out, and each is there once. */
export function measuresOf(text: string): Measure[] {
  const names = new Set(text.split(","));
  const found = MEASURES.filter((measure) => names.has(measure.name)).map((measure) => measure.name);
  return found.length > 0 ? found : measuresOf(DEFAULT_MEASURES);
}

type Direction = "ascending" | "descending";

/** How a column is sorted: null where another one is. */
export function directionOf(sort: string, column: string): Direction | null {
  if (sort === column) return "ascending";
  return sort === `-${column}` ? "descending" : null;
}

/** A click on a column: numbers begin with the greatest, texts with the first; once more turns it round. */
export function nextSort(sort: string, column: string): string {
  const direction = directionOf(sort, column);
  if (direction === null) return column === "value" ? column : `-${column}`;
  return direction === "descending" ? column : `-${column}`;
}

/** A sort of an address that the columns know, else the one by count. */
export function knownSort(sort: string, measures: readonly Measure[]): string {
  const column = sort.replace(/^-/, "");
  const columns = ["count", "value", ...measures.flatMap((measure) => [`sum:${measure}`, `max:${measure}`])];
  return columns.includes(column) ? sort : "-count";
}
