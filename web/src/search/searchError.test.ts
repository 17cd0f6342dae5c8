import { expect, test } from "vitest";

import { searchErrorOf } from "./searchError";

const SAID = 'Invalid query parameter search: expected a ")" for the "(" at character 3';

test("an error names the position of its character", () => {
  expect(searchErrorOf("a (b", [SAID])).toEqual({
    search: "a (b",
    message: 'expected a ")" for the "(" at character 3',
    position: 2,
  });
});

test("characters beyond the first plane count as one", () => {
  expect(searchErrorOf("🦀 (b", [SAID])?.position).toBe(3);
});

test("what is wrong with something else is not the search's", () => {
  expect(searchErrorOf("a", ["Invalid query parameter sort: it is none of start"])).toBeNull();
});
