/** Columns of numbers over time -> what a chart draws: gaps as gaps, and stacks as sums. */

export type Column = readonly (number | null)[];

export interface Table {
  readonly times: number[];
  readonly columns: Column[];
}

/** The distance between moments that is the usual one: the median, which a gap or a retry does not move. */
export function usualStep(times: readonly number[]): number {
  const steps = times.slice(1).map((time, place) => time - (times[place] ?? time));
  steps.sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}

/**
 * A row without values where moments are further apart than 2.5 usual steps, so that no line is drawn across a time of
 * which nothing is known. `step` is the distance that is meant, where it is known.
 */
export function withGaps(times: readonly number[], columns: readonly Column[], step?: number): Table {
  const usual = step ?? usualStep(times);
  const shown: number[] = [];
  const found: (number | null)[][] = columns.map(() => []);
  times.forEach((time, place) => {
    const before = times[place - 1];
    if (before !== undefined && usual > 0 && time - before > 2.5 * usual) {
      shown.push(before + usual);
      for (const column of found) column.push(null);
    }
    shown.push(time);
    columns.forEach((column, series) => found[series]?.push(column[place] ?? null));
  });
  return { times: shown, columns: found };
}

/**
 * Each column on top of those after it, so that the first is the uppermost edge. Where one is not known it adds nothing;
 * where none is known there is a gap. A column that is not shown adds nothing, either.
 */
export function stacked(columns: readonly Column[], shown: readonly boolean[]): (number | null)[][] {
  const length = columns[0]?.length ?? 0;
  const known = (place: number): boolean => columns.some((column) => (column[place] ?? null) !== null);
  const sums = Array.from({ length }, (_, place): number | null => (known(place) ? 0 : null));
  const found: (number | null)[][] = columns.map(() => []);
  for (let series = columns.length - 1; series >= 0; series -= 1) {
    const column = columns[series] ?? [];
    if (shown[series] !== false) {
      sums.forEach((sum, place) => {
        if (sum !== null) sums[place] = sum + (column[place] ?? 0);
      });
    }
    found[series] = [...sums];
  }
  return found;
}

/** The last row of which anything is known. */
export function lastKnown(columns: readonly Column[]): number | null {
  const places = columns.map((column) => column.findLastIndex((value) => value !== null));
  const last = Math.max(-1, ...places);
  return last < 0 ? null : last;
}

/** Where a value is known with none beside it: no line shows it. */
export function isolated(column: ArrayLike<number | null | undefined>): number[] {
  const isKnown = (place: number) => (column[place] ?? null) !== null;
  return Array.from(column, (_, place) => place).filter(
    (place) => isKnown(place) && !isKnown(place - 1) && !isKnown(place + 1),
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
