import { expect, test } from "vitest";

import { steadyValues } from "./steadyValues";

const counted = (counts: Record<string, number>) => Object.entries(counts).map(([value, count]) => ({ value, count }));

test("values keep their places while their counts change", () => {
  expect(steadyValues(["a", "b"], counted({ b: 9, c: 5, a: 2 }), true, 8)).toEqual(counted({ a: 2, b: 9, c: 5 }));
});

test("a value that has gone stays, with none, where all are known", () => {
  expect(steadyValues(["a", "b"], counted({ b: 1 }), true, 8)).toEqual(counted({ a: 0, b: 1 }));
  expect(steadyValues(["a", "b"], counted({ b: 1 }), false, 8)).toEqual(counted({ b: 1 }));
});

test("no more are shown than before because of others that have come", () => {
  expect(steadyValues(["a", "b"], counted({ c: 3, b: 2, a: 1 }), true, 2)).toEqual(counted({ a: 1, b: 2 }));
});
