import { expect, test } from "vitest";

import { instantOf, instantParams, windowOf, windowParams } from "./instant";

const NOW = 1_772_460_067;

test("a view of now is of the clock, one of the past is not", () => {
  expect(instantOf({ mode: "live" }, NOW)).toBe(NOW);
  expect(instantOf({ mode: "last", seconds: 900 }, NOW)).toBe(NOW);
  expect(instantOf({ mode: "at", at: 100 }, NOW)).toBe(100);
  expect(instantOf({ mode: "range", from: 100, to: 200 }, NOW)).toBe(200);
});

test("a range that ends in the future ends now", () => {
  expect(instantOf({ mode: "range", from: 100, to: NOW + 100 }, NOW)).toBe(NOW);
});

test("an instant in the future is now", () => {
  expect(instantOf({ mode: "at", at: NOW + 86_400 }, NOW)).toBe(NOW);
});

test("a window ends at the instant", () => {
  expect(windowOf({ mode: "last", seconds: 60 }, NOW)).toEqual({ from: NOW - 60, to: NOW });
  expect(windowOf({ mode: "at", at: 1000 }, NOW)).toEqual({ from: 100, to: 1000 });
});

test("parameters carry search and tags, and never an instant and a window at once", () => {
  const view = { search: "java", tags: ["env:prod", "!role:web"] };

  expect(instantParams(view, { at: 5 })).toEqual({
    at: 5,
    search: "java",
    tags: "env:prod,!role:web",
    language: "procession",
  });
  expect(windowParams(view, { window: { from: 1, to: 2 } })).toEqual({
    from: 1,
    to: 2,
    search: "java",
    tags: "env:prod,!role:web",
    language: "procession",
  });
});
