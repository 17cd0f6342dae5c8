import { expect, test } from "vitest";

import { problemOf } from "./problem";

const SAID = 'Invalid query parameter search: expected a ")" for the "(" at character 3';

test("an error names the place of its character", () => {
  expect(problemOf("a (b", [SAID])).toEqual({
    search: "a (b",
    message: 'expected a ")" for the "(" at character 3',
    place: 2,
  });
});

test("characters beyond the first plane count as one", () => {
  expect(problemOf("🦀 (b", [SAID])?.place).toBe(3);
});

test("what is wrong with something else is not the search's", () => {
  expect(problemOf("a", ["Invalid query parameter sort: it is none of start"])).toBeNull();
});
