import { expect, test } from "vitest";

import { DEFAULT_VIEW, formatView, parseView, TABS, type ViewState, type ViewTime } from "./view";

/** Numbers that look random and are the same on each run. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return Math.floor((state / 4294967296) * sides);
  };
}

const LETTERS = Array.from("abz09 :*!()\"'\\/%&=+#?;~-_.<>\u202e\u0000é漢🦀");

function aView(seed: number): ViewState {
  const roll = dice(seed);
  const text = (most: number, without = "") =>
    Array.from({ length: roll(most) }, () => LETTERS[roll(LETTERS.length)] ?? "")
      .filter((letter) => !without.includes(letter))
      .join("")
      .trim();
  const words = (count: number) =>
    [...new Set(Array.from({ length: roll(count) }, () => text(12, ",")))].filter((word) => word !== "");
  const times: ViewTime[] = [
    { mode: "live" },
    { mode: "last", seconds: 1 + roll(1_000_000) },
    { mode: "range", from: roll(1000), to: 1000 + roll(2_000_000_000) },
    { mode: "at", at: roll(4_000_000_000) },
  ];
  const extra: Record<string, string> = {};
  for (const key of words(4)) extra[key] = text(20) || "1";
  return {
    search: text(40),
    tags: words(5),
    time: times[roll(times.length)] ?? { mode: "live" },
    tab: TABS[roll(TABS.length)] ?? "table",
    columns: roll(2) ? DEFAULT_VIEW.columns : ["pid", ...words(5)].filter((one, at, all) => all.indexOf(one) === at),
    sort: roll(2) ? DEFAULT_VIEW.sort : "-rss_bytes",
    by: roll(2) ? DEFAULT_VIEW.by : text(10) || "env",
    selected: roll(2) ? null : "01".repeat(20),
    extra,
  };
}

test("any view is the same after a journey through the address", () => {
  for (let seed = 1; seed <= 500; seed += 1) {
    const view = aView(seed);

    const query = formatView(view);

    expect(parseView(query), query).toEqual(view);
    expect(formatView(parseView(query))).toBe(query);
  }
});

test("the default view has an empty address, and that one is the default view", () => {
  expect(formatView(DEFAULT_VIEW)).toBe("");
  expect(parseView("")).toEqual(DEFAULT_VIEW);
});

test("an address can be read by people", () => {
  const view: ViewState = { ...DEFAULT_VIEW, search: "java !user:root", tags: ["env:prod", "!role:web"] };

  expect(formatView(view)).toBe("s=java+!user:root&tags=env:prod,!role:web");
});

test("a search of an older link keeps its meaning, and its address too as long as nothing is changed", () => {
  expect(parseView("q=java+env:prod").search).toBe('"java" env:prod');
  expect(parseView("q=old&s=new").search).toBe("new");
});

test.each(["t=soon", "at=yesterday", "from=20&to=10", "from=1", "tab=nothing", "at=99999999999", "t=0", "t=-5"])(
  "what an address says wrongly is as usual: %s",
  (query) => {
    expect(parseView(query)).toEqual(DEFAULT_VIEW);
  },
);

test("moments in milliseconds are taken for what they are", () => {
  expect(parseView("at=1772460067123").time).toEqual({ mode: "at", at: 1772460067 });
  expect(parseView("from=1772460000000&to=1772460067999").time).toEqual({
    mode: "range",
    from: 1772460000,
    to: 1772460067,
  });
});
