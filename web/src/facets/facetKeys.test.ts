import { expect, test } from "vitest";

import { keyOf, namedValues, withValue } from "./facetKeys";

test("the key of a term is what stands before the first colon", () => {
  expect(keyOf("!Env:prod:eu")).toBe("env");
  expect(keyOf("p-bosh")).toBe("p-bosh");
});

test("another value of a key is enough, too, beside the one before", () => {
  expect(withValue(["host:a", "user:x"], "host:b", "with")).toEqual(["host:a OR host:b", "user:x"]);
  expect(withValue(["host:a OR host:b", "user:x"], "host:c", "with")).toEqual(["host:a OR host:b OR host:c", "user:x"]);
  expect(withValue(["host:a OR host:b"], "HOST:a", null)).toEqual(["host:b"]);
  expect(withValue(["host:a OR host:b"], "host:a", "without")).toEqual(["host:b", "!host:a"]);
  expect(withValue(["!host:a"], "host:a", "with")).toEqual(["host:a"]);
});

test("a term of several keys is none of a facet", () => {
  expect(keyOf("env:a OR ENV:b")).toBe("env");
  expect(keyOf("env:a OR team:b")).toBe("");
  expect(withValue(["env:a OR team:b"], "env:c", "with")).toEqual(["env:a OR team:b", "env:c"]);
});

test("the values that a filter names are those that stand for one", () => {
  expect(namedValues(["env:a OR env:b", "!env:c:d", "env:x*", "team:a", "env"], "env")).toEqual(["a", "b", "c:d"]);
});

test("any number of values can be excluded, beside others", () => {
  expect(withValue(["!host:a"], "host:b", "without")).toEqual(["!host:a", "!host:b"]);
});

test("a check that is taken away leaves the others", () => {
  expect(withValue(["!host:a", "host:b"], "host:a", null)).toEqual(["host:b"]);
});
