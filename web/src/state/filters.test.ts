import { expect, test } from "vitest";

import { checkOf, termOf, withCheck } from "./filters";

test("a tag is chosen, excluded or neither, in capitals or not", () => {
  const tags = ["env:prod", "!role:web"];

  expect(checkOf(tags, "ENV:prod")).toBe("with");
  expect(checkOf(tags, "role:web")).toBe("without");
  expect(checkOf(tags, "role:db")).toBeNull();
});

test("excluding what was chosen leaves one term", () => {
  expect(withCheck(["env:prod", "a"], "env:prod", "without")).toEqual(["a", "!env:prod"]);
  expect(withCheck(["!env:prod"], "env:prod", null)).toEqual([]);
});

test("a tag with a comma is found all the same", () => {
  expect(termOf("cmd:a,b")).toBe("cmd:a*b");
});
