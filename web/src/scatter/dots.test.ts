import { expect, test } from "vitest";

import type { Groups } from "../api/types";
import { groupDots, radiiOf } from "./dots";

test("a group is a dot where both its numbers are known, the largest first", () => {
  const numbers = (cpu: number | null, rss: number) => ({
    cpu_total_percent: { avg: cpu, known: cpu === null ? 0 : 1 },
    rss_bytes: { avg: rss, known: 1 },
  });
  const found: Groups = {
    meta: { known: true, at: 1, by: "command", total: 15, groups: 3 },
    data: [
      { value: "java", count: 2, numbers: numbers(80, 1024) },
      { value: "idle", count: 4, numbers: numbers(null, 1) },
      { value: null, count: 9, numbers: numbers(0, 2048) },
    ],
  };

  expect(groupDots(found, "cpu_total_percent", "rss_bytes", "avg")).toEqual([
    { value: null, count: 9, x: 0, y: 2048 },
    { value: "java", count: 2, x: 80, y: 1024 },
  ]);
  expect(groupDots(found, "cpu_total_percent", "rss_bytes", "max")).toEqual([]);
});

test("four times the processes make a dot twice as wide, and none is too small to hit", () => {
  const [large = 0, quarter = 0, tiny = 0] = radiiOf([400, 100, 1]);

  expect(large / quarter).toBeCloseTo(2);
  expect(tiny).toBe(3.5);
  expect(radiiOf([])).toEqual([]);
});
