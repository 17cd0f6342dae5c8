import { describe, expect, it } from "vitest";

import { Nearest, positionOf, ranked, scaleOf, ticksOf } from "./scales";

describe("scatter plot", () => {
  it("begins a linear axis at 0 and ends it above the greatest", () => {
    const scale = scaleOf([3, 100], "linear");

    expect(positionOf(scale, 0)).toBe(0);
    expect(positionOf(scale, 100)).toBeLessThan(1);
  });

  it("puts 0 at the edge of a logarithmic axis", () => {
    const scale = scaleOf([0, 0.5, 1000], "log");

    expect(scale.least).toBeCloseTo(0.1);
    expect(positionOf(scale, 0)).toBe(0);
    expect(positionOf(scale, 10)).toBeGreaterThan(positionOf(scale, 1));
    expect(positionOf(scale, 1000)).toBeLessThan(1);
  });

  it.each(["linear", "log"] as const)("has a %s axis where nothing is above 0, or nothing at all", (type) => {
    for (const values of [[], [0, 0]]) {
      const scale = scaleOf(values, type);

      expect(positionOf(scale, 0)).toBe(0);
      expect(ticksOf(scale, 5).length).toBeGreaterThan(1);
    }
  });

  it("has round ticks", () => {
    expect(ticksOf({ type: "linear", least: 0, greatest: 105 }, 5)).toEqual([0, 50, 100]);
    expect(ticksOf({ type: "linear", least: 0, greatest: 3000 }, 3, 1024)).toEqual([0, 1024, 2048]);
    expect(ticksOf({ type: "log", least: 0.1, greatest: 1300 }, 6)).toEqual([0.1, 1, 10, 100, 1000]);
  });

  it("has few ticks however far the ends are apart", () => {
    expect(ticksOf({ type: "log", least: 1, greatest: 1e9 }, 4, 1024).length).toBeLessThanOrEqual(6);
    expect(ticksOf({ type: "linear", least: 0, greatest: 1e15 }, 4).length).toBeLessThanOrEqual(6);
  });

  it("finds the nearest point within reach", () => {
    const nearest = new Nearest([10, 14, 100], [10, 10, 100], 8);

    expect(nearest.at(13, 10)).toBe(1);
    expect(nearest.at(11, 9)).toBe(0);
    expect(nearest.at(50, 50)).toBeNull();
  });

  it("ranks groups by their points", () => {
    expect(ranked(["a", "b", "c"], [1, 1, 0, null])).toEqual([
      { at: 1, points: 2 },
      { at: 0, points: 1 },
      { at: 2, points: 0 },
    ]);
  });
});
