import { describe, expect, it } from "vitest";

import { colorOf, isDashed, assignColors } from "./palette";

function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((place) => {
    const part = parseInt(color.slice(place, place + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}

function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

describe("palette", () => {
  it.each([
    ["light", "#f4f6f8"],
    ["dark", "#262e38"],
  ] as const)("stands out from the ground of the %s theme", (scheme, ground) => {
    for (const colorIndex of [null, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      expect(contrast(colorOf(colorIndex, scheme), ground)).toBeGreaterThanOrEqual(3);
    }
  });

  it("tells the eleventh line from the first by dashes", () => {
    expect(colorOf(10, "light")).toBe(colorOf(0, "light"));
    expect([isDashed(0), isDashed(9), isDashed(10), isDashed(null)]).toEqual([false, false, true, false]);
  });

  it("keeps the colour of a value while ranks change, and gives free ones to the new", () => {
    const first = assignColors(new Map(), ["java", "nginx", "redis"]);

    expect(assignColors(first, ["redis", "java"])).toBe(first);
    expect([...assignColors(first, ["redis", "python", "java"])]).toEqual([
      ["java", 0],
      ["redis", 2],
      ["python", 1],
    ]);
  });
});
