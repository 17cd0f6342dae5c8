import { expect, test } from "vitest";

import { dataSteps, nearest, nextData } from "./dataSteps";

const STEPS = dataSteps({
  times: [100, 200, 300, 400, 500, 600],
  series: [{ value: null, is_rest: false, count: [5, null, null, 7, 0, null], numbers: {} }],
});

test("what no host reported is null, and not zero", () => {
  expect(STEPS.map(({ count }) => count)).toEqual([5, null, null, 7, 0, null]);
  expect(dataSteps({ times: [1], series: [] })).toEqual([{ at: 1, count: null }]);
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
