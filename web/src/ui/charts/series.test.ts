import { describe, expect, it } from "vitest";
import { isolated, lastKnown, stacked, summary, medianStep, withGaps } from "./series";

describe("series", () => {
  it("takes the median step", () => {
    expect(medianStep([0, 10, 20, 500, 510])).toBe(10);
    expect(medianStep([7])).toBe(0);
  });

  it("puts an empty row where moments are missing", () => {
    expect(withGaps([0, 10, 20, 100, 110], [[1, 2, 3, 4, 5]])).toEqual({
      times: [0, 10, 20, 30, 100, 110],
      columns: [[1, 2, 3, null, 4, 5]],
    });
  });

  it("takes one late moment for no gap", () => {
    expect(withGaps([0, 10, 30, 40], [[1, 2, 3, 4]]).times).toEqual([0, 10, 30, 40]);
  });

  it("leaves room for the step that is meant", () => {
    expect(withGaps([0, 60, 180], [[1, 2, 3]], 60).times).toEqual([0, 60, 180]);
    expect(withGaps([0, 1, 180], [[1, 2, 3]], 60).times).toEqual([0, 1, 61, 180]);
  });

  it("stacks from the last to the first", () => {
    expect(
      stacked(
        [
          [1, 2],
          [10, 20],
          [100, 200],
        ],
        [true, true, true],
      ),
    ).toEqual([
      [111, 222],
      [110, 220],
      [100, 200],
    ]);
  });

  it("adds nothing for what is hidden or not known, and keeps a gap of all", () => {
    expect(
      stacked(
        [
          [1, null, 1],
          [10, null, null],
        ],
        [true, true],
      ),
    ).toEqual([
      [11, null, 1],
      [10, null, 0],
    ]);
    expect(stacked([[1], [10]], [true, false])).toEqual([[1], [0]]);
  });

  it("finds what no line would show", () => {
    expect(isolated([1, null, 2, 3, null, 4])).toEqual([0, 5]);
    expect(isolated([])).toEqual([]);
  });

  it("finds the last row of which anything is known", () => {
    expect(
      lastKnown([
        [1, null, null],
        [null, 2, null],
      ]),
    ).toBe(1);
    expect(lastKnown([[null], []])).toBeNull();
    expect(lastKnown([])).toBeNull();
  });

  it("sums up a column in three numbers", () => {
    expect(summary([3, null, 1, 2, null])).toEqual({ least: 1, newest: 2, greatest: 3 });
    expect(summary([null])).toBeNull();
  });
});
