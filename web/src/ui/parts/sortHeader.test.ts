import { expect, test } from "vitest";

import { directionOf, nextSort, sortsOf } from "./SortHeader";

test("a column begins with the greatest number and the first text, and turns round", () => {
  expect(nextSort("-count", "p95:rss_bytes", false)).toBe("-p95:rss_bytes");
  expect(nextSort("-p95:rss_bytes", "p95:rss_bytes", false)).toBe("p95:rss_bytes");
  expect(nextSort("p95:rss_bytes", "p95:rss_bytes", false)).toBe("-p95:rss_bytes");
  expect(nextSort("-count", "second", true)).toBe("second");
  expect(nextSort("value", "value", true)).toBe("-value");
  expect(nextSort("-value", "value", true)).toBe("value");
  expect(directionOf("-count", "count")).toBe("descending");
  expect(directionOf("-count", "value")).toBe("none");
});

test("only those that have a name for it sort", () => {
  expect(sortsOf([["Host", "host"], ["Tags", null], ["Processes", "processes", true]])).toEqual(["host", "processes"]);
});
