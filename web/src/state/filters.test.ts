import { expect, test } from "vitest";

import { filterModeOf, termOf, turnedAround, withFilterMode } from "./filters";

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

test("a tag with a comma or an OR is found all the same", () => {
  expect(termOf("cmd:a,b")).toBe("cmd:a*b");
  expect(termOf("cmd:a OR  OR b")).toBe("cmd:a*OR*OR b");
});

test("a tag of several that are enough is found, and taken away alone", () => {
  const tags = ["env:prod OR Env:Test", "role:web"];

  expect(filterModeOf(tags, "env:test")).toBe("with");
  expect(withFilterMode(tags, "env:test", null)).toEqual(["env:prod", "role:web"]);
  expect(withFilterMode(tags, "env:prod", "without")).toEqual(["Env:Test", "role:web", "!env:prod"]);
});

test("the opposite of either is none of both", () => {
  expect(turnedAround("a OR b")).toEqual(["!a", "!b"]);
  expect(turnedAround("!a")).toEqual(["a"]);
});
