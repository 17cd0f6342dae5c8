import { expect, test } from "vitest";

import { dataSteps, nearest, nextData, type DataStep } from "./dataSteps";

function counted(avg: (number | null)[], instants: boolean) {
  const times = avg.map((_, index) => 100 * index + 100);
  const max_at = avg.map((count, index) => (count === null ? null : (times[index] ?? 0)));
  const trend = { value: null, is_rest: false, count: { min: avg, avg, max: avg, max_at }, numbers: {} };
  return { meta: { step: 100, instants }, times, trends: [trend] };
}

const STEPS = dataSteps(counted([5, null, null, 7, 0, null], true));

test("what no host reported is null, and not zero", () => {
  expect(STEPS.map(({ count }) => count)).toEqual([5, null, null, 7, 0, null]);
  expect(dataSteps({ meta: { step: 1, instants: true }, times: [1], trends: [] })).toMatchObject([{ at: 1, count: null }]);
});

test("what began and ended is of the step in whose time it did", () => {
  const turnover = {
    step: 100,
    times: [100, 200],
    starts: [3, 4],
    ends: [5, 6],
    failures: [0, 3],
    exit_codes: [
      { exit_code: 137, signal: "SIGKILL", ends: [0, 2] },
      { exit_code: 1, signal: null, ends: [0, 1] },
    ],
  };

  const [first, second] = dataSteps(counted([7, 8], false), turnover);

  expect(first).toEqual({ at: 150, from: 100, to: 200, count: 7, dataAt: 159, starts: 3, ends: 5, failures: 0, exits: [] });
  expect(second).toMatchObject({ at: 250, starts: 4, ends: 6, failures: 3, exits: [["SIGKILL", 2], ["exit 1", 1]] });
  const sum = (steps: DataStep[]) => steps.reduce((all, { starts }) => all + starts, 0);
  expect(sum(dataSteps(counted([7, 8, 9], true), turnover))).toBe(7);
});

test("of a step that is known in part the next data is where something is", () => {
  const counts = counted([null, 8], false);
  const [trend] = counts.trends;
  if (trend !== undefined) trend.count.max_at = [null, 290];

  expect(nextData(dataSteps(counts), 120, 1)).toBe(349);
});

test("from within a gap the next data is on its far side", () => {
  expect(nextData(STEPS, 240, 1)).toBe(400);
  expect(nextData(STEPS, 240, -1)).toBe(100);
});

test("from within data the next data is beyond the next gap", () => {
  expect(nextData(STEPS, 100, 1)).toBe(400);
  expect(nextData(STEPS, 500, -1)).toBe(100);
});

test("there is no next data where nothing follows", () => {
  expect(nextData(STEPS, 500, 1)).toBeNull();
  expect(nextData(STEPS, 600, 1)).toBeNull();
  expect(nextData(STEPS, 100, -1)).toBeNull();
  expect(nextData([], 100, 1)).toBeNull();
});

test("a moment belongs to the step that is closest", () => {
  expect(nearest(STEPS, 251)?.at).toBe(300);
  expect(nearest([], 1)).toBeUndefined();
});
