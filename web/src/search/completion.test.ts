import { expect, test } from "vitest";

import { complete, quoteIfNeeded, wordAt } from "./completion";

test.each([
  ["java env:pr", 11, "env:pr"],
  ["(env:pr", 7, "env:pr"],
  ["a !user:ro", 10, "user:ro"],
  ["java", 2, "ja"],
  ["", 0, ""],
])("the word of %j at %i is %j", (search, caret, text) => {
  expect(wordAt(search, caret)?.text).toBe(text);
});

test("there is nothing to complete in quotes", () => {
  expect(wordAt('"daemon of', 10)).toBeNull();
  expect(wordAt('a "\\" b', 7)).toBeNull();
});

test("after closed quotes there is", () => {
  expect(wordAt('"daemon off" en', 15)?.text).toBe("en");
});

test("a key is completed with its colon, a value with a blank after it", () => {
  const word = { start: 5, end: 7, text: "en" };

  expect(complete("java en (x)", word, { key: "env" })).toEqual({ search: "java env: (x)", caret: 9 });
  expect(complete("java en (x)", word, { key: "env", value: "prod" })).toEqual({ search: "java env:prod (x)", caret: 14 });
});

test("a value is put into quotes where it would mean something else outside of them", () => {
  expect(quoteIfNeeded("prod")).toBe("prod");
  expect(quoteIfNeeded("a b")).toBe('"a b"');
  expect(quoteIfNeeded("a*")).toBe('"a*"');
  expect(quoteIfNeeded('a"\\')).toBe('"a\\"\\\\"');
});
