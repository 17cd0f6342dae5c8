/** The order of the values of a facet while the view is live: what is counted anew does not jump about. */

import type { FacetValue } from "../api/types";

/** Those that were shown, in the order they had, and new ones behind them. `isAll`: whether every value was counted, so
 * that what is missing has gone; where only the most frequent are known, what is missing among them is left out. */
export function steadyValues(
  before: readonly string[],
  counted: readonly FacetValue[],
  isAll: boolean,
  most: number,
): FacetValue[] {
  const counts = new Map(counted.map(({ value, count }) => [value, count]));
  const kept = before.filter((value) => isAll || counts.has(value)).map((value) => ({ value, count: counts.get(value) ?? 0 }));
  const shown = new Set(before);
  return [...kept, ...counted.filter(({ value }) => !shown.has(value))].slice(0, Math.max(most, kept.length));
}
