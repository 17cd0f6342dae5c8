import { expect, test } from "vitest";

import { completionsOf } from "./useCompletions";

const found = {
  prefix: "ex",
  keys: [{ key: "extra", count: 3 }],
  values: [],
  matches: [
    { key: "command", value: "Exim", count: 9 },
    { key: "env", value: "other", count: 9 },
  ],
};

test("a word is completed to keys, numbers and values that begin so", () => {
  expect(completionsOf("ex", found)).toEqual([
    { key: "extra", count: 3 },
    { key: "exit_code", sign: ":", count: null },
    { key: "command", value: "Exim", count: 9 },
  ]);
});

test("numbers need no answer, and nothing is offered for nothing", () => {
  expect(completionsOf("cp", undefined)).toEqual([{ key: "cpu", sign: ">", count: null }]);
  expect(completionsOf("", undefined)).toEqual([]);
});

test("what was found for another key does not fit", () => {
  const values = { prefix: "env:p", keys: [], values: [{ value: "prod", count: 1 }] };

  expect(completionsOf("env:pr", values)).toEqual([{ key: "env", value: "prod", count: 1 }]);
  expect(completionsOf("role:p", values)).toEqual([]);
});
