/** Columns of numbers over time -> what a chart draws: gaps as gaps, and stacks as sums. */

export type Column = readonly (number | null)[];

export interface Table {
  readonly times: number[];
  readonly columns: Column[];
}

/** The median distance between moments, which a gap or a retry does not move. */
export function medianStep(times: readonly number[]): number {
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  steps.sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}

/**
 * A row without values where moments are further apart than 2.5 steps, so that no line is drawn across a time without
 * data. The step is `step`, or the median where none is given.
 */
export function withGaps(times: readonly number[], columns: readonly Column[], step?: number): Table {
  const expected = step ?? medianStep(times);
  const shown: number[] = [];
  const found: (number | null)[][] = columns.map(() => []);
  times.forEach((time, index) => {
    const before = times[index - 1];
    if (before !== undefined && expected > 0 && time - before > 2.5 * expected) {
      shown.push(before + expected);
      for (const column of found) column.push(null);
    }
    shown.push(time);
    columns.forEach((column, series) => found[series]?.push(column[index] ?? null));
  });
  return { times: shown, columns: found };
}

/**
 * Each column on top of those after it, so that the first is the uppermost edge. Where one is not known it adds nothing;
 * where none is known there is a gap. A column that is not shown adds nothing, either.
 */
export function stacked(columns: readonly Column[], shown: readonly boolean[]): (number | null)[][] {
  const length = columns[0]?.length ?? 0;
  const known = (index: number): boolean => columns.some((column) => (column[index] ?? null) !== null);
  const sums = Array.from({ length }, (_, index): number | null => (known(index) ? 0 : null));
  const found: (number | null)[][] = columns.map(() => []);
  for (let series = columns.length - 1; series >= 0; series -= 1) {
    const column = columns[series] ?? [];
    if (shown[series] !== false) {
      sums.forEach((sum, index) => {
        if (sum !== null) sums[index] = sum + (column[index] ?? 0);
      });
    }
    found[series] = [...sums];
  }
  return found;
}

/** The last row of which anything is known. */
export function lastKnown(columns: readonly Column[]): number | null {
  const indexes = columns.map((column) => column.findLastIndex((value) => value !== null));
  const last = Math.max(-1, ...indexes);
  return last < 0 ? null : last;
}

/** Indexes of values that have a gap on both sides: no line shows them. */
export function isolated(column: ArrayLike<number | null | undefined>): number[] {
  const isKnown = (index: number) => (column[index] ?? null) !== null;
  return Array.from(column, (_, index) => index).filter(
    (index) => isKnown(index) && !isKnown(index - 1) && !isKnown(index + 1),
  );
}

/** Least, newest and greatest of what is known: a chart in a sentence. */
export function summary(column: Column): { least: number; newest: number; greatest: number } | null {
  const known = column.filter((value): value is number => value !== null);
  const newest = known.at(-1);
  if (newest === undefined) return null;
  let [least, greatest] = [newest, newest];
  for (const value of known) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return { least, newest, greatest };
}
