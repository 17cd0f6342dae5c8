/** What a plot draws, be it processes or groups. */

import type { Measure, Statistic, Unit } from "../api/measures";
import type { Groups } from "../api/types";

interface Axis {
  label: string;
  unit: Unit;
}

export interface Dots {
  /** What they are, for readers of screens. */
  noun: "processes" | "groups";
  x: readonly number[];
  y: readonly number[];
  xAxis: Axis;
  yAxis: Axis;
  /** Indices in the palette; null for those that share the last colour. */
  colors: readonly (number | null)[];
  /** In pixels; null where all are alike. */
  radii: readonly number[] | null;
}

const LEAST_RADIUS = 3.5;
const MOST_RADIUS = 18;

/** The area of a dot says how many processes its group has. */
export function radiiOf(counts: readonly number[]): number[] {
  const most = Math.max(1, ...counts);
  return counts.map((count) => Math.max(LEAST_RADIUS, MOST_RADIUS * Math.sqrt(count / most)));
}

export interface GroupDot {
  value: string | null;
  count: number;
  x: number;
  y: number;
}

/** Groups of which both numbers are known, those with the most processes first: the small ones are drawn over them. */
export function groupDots(found: Groups, x: Measure, y: Measure, statistic: Statistic): GroupDot[] {
  return found.data
    .flatMap(({ value, count, numbers }) => {
      const [itsX, itsY] = [numbers[x]?.[statistic] ?? null, numbers[y]?.[statistic] ?? null];
      return itsX === null || itsY === null ? [] : [{ value, count, x: itsX, y: itsY }];
    })
    .sort((one, other) => other.count - one.count);
}
