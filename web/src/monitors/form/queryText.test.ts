import { expect, test } from "vitest";

import { carriedOf, queryText, timeframe } from "./queryText";

const parts = {
  search: "",
  language: "procession",
  over: [],
  by: [],
  function: "count_now",
  measure: "rss_bytes",
  window: "5m",
  comparison: "<",
  threshold: "1",
} as const;

test("a query has only what its function takes", () => {
  const text = (change: object) => queryText({ ...parts, over: [], by: [], ...change });

  expect(text({})).toBe("processes('').rollup('count_now') < 1");
  expect(text({ function: "count", by: ["host"] })).toBe("processes('').by('host').rollup('count').last('5m') < 1");
  expect(text({ function: "sum", comparison: ">", threshold: " 8 " })).toBe("processes('').rollup('sum','rss_bytes') > 8");
});

test("no search and no tag ends its string", () => {
  const text = queryText({ ...parts, language: "datadog", search: `it's \\ "x"`, over: ["a:'b\\"], by: [] });

  expect(text).toBe(`processes('it\\'s \\\\ "x"').over('a:\\'b\\\\').rollup('count_now') < 1`);
});

test("the language is said where it makes a difference", () => {
  const text = (search: string, language: "procession" | "datadog" = "procession") =>
    queryText({ ...parts, search, language, over: [], by: [] });

  expect(text("java")).toBe("processes('java').language('procession').rollup('count_now') < 1");
  expect(text("java", "datadog")).toBe("processes('java').rollup('count_now') < 1");
  expect(text('"java" env:prod')).toBe(`processes('"java" env:prod').rollup('count_now') < 1`);
  expect(text("ppid:7")).toBe("processes('ppid:7').language('procession').rollup('count_now') < 1");
});

const view = { search: "", tags: [], extra: {}, time: { mode: "last", seconds: 900 } } as const;
const carried = (change: { search?: string; tags?: string[]; extra?: Record<string, string> }, ...compares: string[]) =>
  carriedOf({ ...view, tags: [], ...change }, new Set(compares));

test("a search is carried as it is, and what cannot be is named", () => {
  expect(carried({ search: "java OR !x", tags: ["env:prod", "!a:*"] })).toEqual({
    search: "java OR !x",
    over: ["env:prod", "!a:*"],
    leftOut: [],
  });
  expect(carried({ search: "  ", tags: ["*", "a"] })).toEqual({ search: "", over: ["a"], leftOut: ["the tag *"] });
  const either = "env:a OR env:b, since a monitor has no OR between tags";
  expect(carried({ tags: ["env:a OR env:b"] })).toEqual({ search: "", over: [], leftOut: [either] });
  expect(carried({ search: "x".repeat(5000) }).leftOut).toHaveLength(1);
  const many = Array.from({ length: 66 }, (_, index) => `t:${index}`);
  expect(carried({ tags: many }).leftOut).toEqual(["the tag t:64", "the tag t:65"]);
});

test("what compares numbers is left out and named, and nothing else", () => {
  const search = "java AND cpu>50 !rss>1GiB NOT web signal:handler !exit_code:1";

  expect(carried({ search }, "cpu>50", "rss>1GiB")).toEqual({
    search: "java !web signal:handler !exit_code:1",
    over: [],
    leftOut: ["cpu>50", "rss>1GiB"],
  });
  expect(carried({ search: "java OR cpu>50" }, "cpu>50")).toEqual({
    search: "",
    over: [],
    leftOut: ["the search java OR cpu>50, which compares numbers,"],
  });
  expect(carried({ search: '"cpu>50" java' }, "cpu>50").search).toBe('"cpu>50" java');
});

test("how processes ended becomes a part of the search", () => {
  expect(carried({ tags: ["!exit_code:1", "a"], extra: { scope: "ended" } })).toEqual({
    search: "!exit_code:1 ended:true",
    over: ["a"],
    leftOut: [],
  });
  expect(carried({ search: "java OR node", tags: ["ended:oom"] })).toEqual({
    search: "(java OR node) ended:oom",
    over: [],
    leftOut: [],
  });
  const either = "signal:KILL OR ended:oom, since a monitor has no OR between tags";
  expect(carried({ tags: ["signal:KILL OR ended:oom"] })).toEqual({ search: "", over: [], leftOut: [either] });
});

test("a timeframe is in the greatest unit that is whole", () => {
  expect([300, 3600, 5400, 86_400].map(timeframe)).toEqual(["5m", "1h", "90m", "1d"]);
});
