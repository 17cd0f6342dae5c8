/** What is known of a stretch of time, step by step. */

import type { Trends, Turnover } from "../api/types";

export interface DataStep {
  /** The instant that was counted, or the middle of the step, in seconds. */
  at: number;
  /** Its beginning and its end. */
  from: number;
  to: number;
  /** null where no host reported. */
  count: number | null;
  /** An instant of the step of which something is known. */
  dataAt: number | null;
  starts: number;
  ends: number;
  /** Of the ends those with an exit code other than 0. */
  failures: number;
  /** The most frequent of those exit codes: as `exit 1` or `SIGKILL`, and how many. */
  exits: (readonly [name: string, count: number])[];
}

/** To the end of the minute of a step that has the most. */
const END_OF_MINUTE = 59;

type Counts = Pick<Trends, "times" | "trends"> & { meta: Pick<Trends["meta"], "step" | "instants"> };

/** What began and ended is of the step in whose time it did. Without `turnover` nothing is known of that, yet. */
export function dataSteps({ meta, times, trends }: Counts, turnover?: Omit<Turnover, "meta">): DataStep[] {
  const found = trends[0]?.count;
  const half = Math.floor(meta.step / 2);
  const steps = times.map((time, index): DataStep => {
    const most = found?.max_at[index] ?? null;
    return {
      at: meta.instants ? time : time + half,
      from: meta.instants ? time - meta.step : time,
      to: meta.instants ? time : time + meta.step,
      count: found?.avg[index] ?? null,
      dataAt: most === null || meta.instants ? most : most + END_OF_MINUTE,
      starts: 0,
      ends: 0,
      failures: 0,
      exits: [],
    };
  });
  turnover?.times.forEach((time, index) => {
    const step = nearest(steps, time + half);
    if (step === undefined) return;
    step.starts += turnover.starts[index] ?? 0;
    step.ends += turnover.ends[index] ?? 0;
    step.failures += turnover.failures[index] ?? 0;
    for (const { exit_code, signal, ends } of turnover.exit_codes) {
      const count = ends[index] ?? 0;
      if (count > 0) step.exits = added(step.exits, signal ?? `exit ${exit_code}`, count);
    }
  });
  return steps;
}

function added(exits: DataStep["exits"], name: string, count: number): DataStep["exits"] {
  const before = exits.find(([one]) => one === name)?.[1] ?? 0;
  return [...exits.filter(([one]) => one !== name), [name, before + count]];
}

/** The nearest step with data before (-1) or after (1) a moment, beyond the gap that follows; null where there is none.
 * Where nothing is known at the moment, that is the next data; where it is, the far side of the next gap. */
export function nextData(steps: readonly DataStep[], moment: number, direction: 1 | -1): number | null {
  const ahead = direction === 1 ? steps.filter(({ at }) => at > moment) : steps.filter(({ at }) => at < moment).reverse();
  const here = nearest(steps, moment);
  const gap = here?.count === null ? 0 : ahead.findIndex(({ count }) => count === null);
  if (gap < 0) return null;
  return ahead.slice(gap).find(({ count }) => count !== null)?.dataAt ?? null;
}

/** The step whose instant is closest to a moment. */
export function nearest(steps: readonly DataStep[], moment: number): DataStep | undefined {
  let best: DataStep | undefined;
  for (const step of steps) {
    if (best === undefined || Math.abs(step.at - moment) < Math.abs(best.at - moment)) best = step;
  }
  return best;
}
