import { describe, expect, it } from "vitest";

import { resolutionOf, rangeOf } from "./historyRange";

const view = { from: 100_000, to: 100_900 };

describe("ranges of the panel", () => {
  it("follows the view, or looks back from its end", () => {
    expect(rangeOf("view", view, null)).toEqual(view);
    expect(rangeOf("3600", view, null)).toEqual({ from: 97_300, to: 100_900 });
  });

  it("ends where the process was last seen", () => {
    expect(rangeOf("3600", view, 50_000)).toEqual({ from: 46_400, to: 50_000 });
    expect(rangeOf("3600", view, 200_000).to).toBe(100_900);
  });

  it("takes a range that was dragged, and nothing that is none", () => {
    expect(rangeOf("10-20", view, 50_000)).toEqual({ from: 10, to: 20 });
    for (const text of ["20-10", "0-4000000000", "x", "17"]) expect(rangeOf(text, view, null)).toEqual(view);
  });

  it("shows each sighting of short ranges, and minutes of long ones", () => {
    expect(resolutionOf({ from: 0, to: 7200 })).toBe("sighting");
    expect(resolutionOf({ from: 0, to: 7201 })).toBe("minute");
  });
});
