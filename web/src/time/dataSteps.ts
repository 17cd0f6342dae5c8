/** What is known of a stretch of time, step by step. */

import type { Timeseries } from "../api/types";

export interface DataStep {
  /** The instant that was counted, in seconds. */
  at: number;
  /** null where no host reported. */
  count: number | null;
}

export function dataSteps(found: Pick<Timeseries, "times" | "series">): DataStep[] {
  const counts = found.series[0]?.count ?? [];
  return found.times.map((at, index) => ({ at, count: counts[index] ?? null }));
}

/** The nearest step with data before (-1) or after (1) a moment, beyond the gap that follows; null where there is none.
 * Where nothing is known at the moment, that is the next data; where it is, the far side of the next gap. */
export function nextData(steps: readonly DataStep[], moment: number, direction: 1 | -1): number | null {
  const ahead = direction === 1 ? steps.filter(({ at }) => at > moment) : steps.filter(({ at }) => at < moment).reverse();
  const here = nearest(steps, moment);
  const gap = here?.count === null ? 0 : ahead.findIndex(({ count }) => count === null);
  if (gap < 0) return null;
  return ahead.slice(gap).find(({ count }) => count !== null)?.at ?? null;
}

/** The step whose instant is closest to a moment. */
export function nearest(steps: readonly DataStep[], moment: number): DataStep | undefined {
  let best: DataStep | undefined;
  for (const step of steps) {
    if (best === undefined || Math.abs(step.at - moment) < Math.abs(best.at - moment)) best = step;
  }
  return best;
}
