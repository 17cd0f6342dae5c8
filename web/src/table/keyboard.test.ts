import { expect, test } from "vitest";

import { moveTo } from "./keyboard";

test("keys move by rows, pages and to the ends, and stay within", () => {
  expect(moveTo("ArrowDown", null, 100, 10)).toBe(0);
  expect(moveTo("ArrowDown", 99, 100, 10)).toBe(99);
  expect(moveTo("ArrowUp", 5, 100, 10)).toBe(4);
  expect(moveTo("PageDown", 5, 100, 10)).toBe(15);
  expect(moveTo("PageUp", 5, 100, 10)).toBe(0);
  expect(moveTo("End", 5, 100, 10)).toBe(99);
  expect(moveTo("Home", 5, 100, 10)).toBe(0);
  expect(moveTo("x", 5, 100, 10)).toBeNull();
  expect(moveTo("End", null, 0, 10)).toBeNull();
});
