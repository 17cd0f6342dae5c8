import { expect, test } from "vitest";

import { keyOf, withValue } from "./facetKeys";

test("the key of a term is what stands before the first colon", () => {
  expect(keyOf("!Env:prod:eu")).toBe("env");
  expect(keyOf("p-bosh")).toBe("p-bosh");
});

test("another value of a key is instead of the one before", () => {
  expect(withValue(["host:a", "user:x"], "host:b", "with")).toEqual(["user:x", "host:b"]);
});

test("any number of values can be excluded, beside others", () => {
  expect(withValue(["!host:a"], "host:b", "without")).toEqual(["!host:a", "!host:b"]);
});

test("a check that is taken away leaves the others", () => {
  expect(withValue(["!host:a", "host:b"], "host:a", null)).toEqual(["host:b"]);
});
