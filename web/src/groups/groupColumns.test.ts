import { describe, expect, it } from "vitest";

import { directionOf, knownSort, measuresOf, nextSort } from "./groupColumns";

describe("columns of groups", () => {
  it("takes measures from an address in their own order, and no others", () => {
    expect(measuresOf("threads,cpu_total_percent,evil,threads")).toEqual(["cpu_total_percent", "threads"]);
    expect(measuresOf("evil")).toEqual(["cpu_total_percent", "rss_bytes"]);
  });

  it("begins with the greatest number and the first text, and turns round", () => {
    expect(nextSort("-count", "sum:rss_bytes")).toBe("-sum:rss_bytes");
    expect(nextSort("-sum:rss_bytes", "sum:rss_bytes")).toBe("sum:rss_bytes");
    expect(nextSort("-count", "value")).toBe("value");
    expect(nextSort("value", "value")).toBe("-value");
    expect(directionOf("-count", "count")).toBe("descending");
    expect(directionOf("-count", "value")).toBeNull();
  });

  it("sorts by nothing that is not shown", () => {
    expect(knownSort("-max:rss_bytes", ["rss_bytes"])).toBe("-max:rss_bytes");
    expect(knownSort("-max:threads", ["rss_bytes"])).toBe("-count");
  });
});
