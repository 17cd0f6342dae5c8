import { expect, test } from "vitest";

import { problemOf } from "./searchProblem";

const SAID = 'Invalid query parameter search: expected a ")" for the "(" at character 3';

test("an error names the position of its character", () => {
  expect(problemOf("a (b", [SAID])).toEqual({
    search: "a (b",
    message: 'expected a ")" for the "(" at character 3',
    position: 2,
  });
});

test("characters beyond the first plane count as one", () => {
  expect(problemOf("🦀 (b", [SAID])?.position).toBe(3);
});

test("what is wrong with something else is not the search's", () => {
  expect(problemOf("a", ["Invalid query parameter sort: it is none of start"])).toBeNull();
});
