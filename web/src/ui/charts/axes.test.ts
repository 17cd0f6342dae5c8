import { describe, expect, it } from "vitest";

import { timeTicks, valueRange } from "./axes";

const noon = (day: number) => new Date(2026, 2, day, 12).getTime() / 1000;

describe("axes", () => {
  it("names the day only where it is another one", () => {
    expect(timeTicks([noon(2), noon(2) + 3600], 3600, noon(2))).toEqual(["12:00", "13:00"]);

    const [first, second, third] = timeTicks([noon(1), noon(2), noon(2) + 3600], 3600, noon(3));

    expect([first, second].map((tick) => tick?.split("\n")[0])).toEqual(["12:00", "12:00"]);
    expect([first, second, third].map((tick) => tick?.includes("\n"))).toEqual([true, true, false]);
  });

  it("shows seconds where ticks are closer than a minute", () => {
    expect(timeTicks([noon(2) + 15], 15, noon(2))).toEqual(["12:00:15"]);
  });

  it("begins at 0, and has some height where nothing is above it", () => {
    expect(valueRange(0)).toEqual([0, 1]);
    expect(valueRange(null)).toEqual([0, 1]);
    expect(valueRange(100)).toEqual([0, 108]);
  });

  it("reaches above every threshold", () => {
    expect(valueRange(5, [{ value: 50 }, { value: 100 }])).toEqual([0, 108]);
    expect(valueRange(null, [{ value: 100 }])).toEqual([0, 108]);
  });
});
