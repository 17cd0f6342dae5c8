import { describe, expect, it } from "vitest";

import { formatMeasure, increments, measureName, measureOf } from "./measures";

describe("measures", () => {
  it.each([
    [212.54, "percent", "212.5%"],
    [1_073_741_824, "bytes", "1.0 GiB"],
    [1536, "bytes/s", "1.5 KiB/s"],
    [1234, "count", "1,234"],
    [1_234_567, "count", "1.2M"],
    [12.34, "count/s", "12.3/s"],
    [null, "count", "–"],
  ] as const)("writes %s of %s as %s", (value, unit, text) => {
    expect(formatMeasure(value, unit)).toBe(text);
  });

  it("takes no name from an address that is none of a measure", () => {
    expect(measureName("rss_bytes", "threads")).toBe("rss_bytes");
    expect(measureName("<script>", "threads")).toBe("threads");
    expect(measureName(undefined, "threads")).toBe("threads");
    expect(measureOf("rss_bytes").label).toBe("Memory (RSS)");
  });

  it("has round ticks in each unit", () => {
    expect(increments("bytes").slice(10, 13)).toEqual([1024, 2048, 4096]);
    expect(increments("count")[0]).toBe(1);
    expect(increments("percent").every((step, place, all) => place === 0 || step > (all[place - 1] ?? 0))).toBe(true);
  });
});
