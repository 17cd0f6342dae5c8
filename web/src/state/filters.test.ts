import { expect, test } from "vitest";

import { filterModeOf, termOf, withFilterMode } from "./filters";

test("a tag is chosen, excluded or neither, in capitals or not", () => {
  const tags = ["env:prod", "!role:web"];

  expect(filterModeOf(tags, "ENV:prod")).toBe("with");
  expect(filterModeOf(tags, "role:web")).toBe("without");
  expect(filterModeOf(tags, "role:db")).toBeNull();
});

test("excluding what was chosen leaves one term", () => {
  expect(withFilterMode(["env:prod", "a"], "env:prod", "without")).toEqual(["a", "!env:prod"]);
  expect(withFilterMode(["!env:prod"], "env:prod", null)).toEqual([]);
});

test("a tag with a comma is found all the same", () => {
  expect(termOf("cmd:a,b")).toBe("cmd:a*b");
});
