import { describe, expect, it } from "vitest";

import { keysOf, measuresOf, statisticsOf, withKnownSort, type GroupView } from "./groupColumns";

const view: GroupView = { keys: "command", measures: ["rss_bytes"], statistics: ["sum", "p95"], sort: "-count" };

describe("columns of groups", () => {
  it("takes measures and statistics from an address in their own order, and no others", () => {
    expect(measuresOf("threads,cpu_total_percent,evil,threads")).toEqual(["cpu_total_percent", "threads"]);
    expect(measuresOf("evil")).toEqual(["cpu_total_percent", "rss_bytes"]);
    expect(statisticsOf("max,p50,evil,max")).toEqual(["p50", "max"]);
    expect(statisticsOf("")).toEqual(["sum", "max"]);
  });

  it("asks for two keys only where they are two", () => {
    expect(keysOf("command", "host")).toBe("command,host");
    expect(keysOf("command", "")).toBe("command");
    expect(keysOf("command", "command")).toBe("command");
    expect(keysOf("a,b", "c")).toBe("a b,c");
  });

  it("sorts by nothing that is not shown", () => {
    expect(withKnownSort({ ...view, sort: "-p95:rss_bytes" }).sort).toBe("-p95:rss_bytes");
    expect(withKnownSort({ ...view, sort: "-max:rss_bytes" }).sort).toBe("-count");
    expect(withKnownSort({ ...view, sort: "-p95:threads" }).sort).toBe("-count");
    expect(withKnownSort({ ...view, sort: "second" }).sort).toBe("-count");
    expect(withKnownSort({ ...view, keys: "command,host", sort: "second" }).sort).toBe("second");
  });
});
