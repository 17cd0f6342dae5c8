import { expect, test } from "vitest";

import { countParams, listParams, scopeOf, sortOf, withScope } from "./scope";
import { DEFAULT_COLUMNS, DEFAULT_VIEW, ENDED_COLUMNS, type ViewState } from "./view";

const INSTANT = { at: 1000, window: { from: 100, to: 1000 }, isLive: false, refresh: () => undefined };
const changed = (view: ViewState, change: Partial<ViewState>): ViewState => ({ ...view, ...change });
const ended = changed(DEFAULT_VIEW, withScope(DEFAULT_VIEW, "ended"));

test("those that have ended begin with the last, and show how", () => {
  expect(ended).toMatchObject({ sort: "-ended", columns: ENDED_COLUMNS, extra: { scope: "ended" } });
  expect(listParams(ended, INSTANT)).toEqual({ from: 100, to: 1000, search: "", tags: "", sort: "-ended", ended: "true" });
  expect(countParams(ended, INSTANT)).toMatchObject({ ended: "true", from: 100 });
});

test("back among those that run all is as it was", () => {
  expect(changed(ended, withScope(ended, "instant"))).toEqual(DEFAULT_VIEW);
  const chosen = { ...ended, columns: ["pid"], sort: "pid" };
  expect(changed(chosen, withScope(chosen, "window"))).toMatchObject({ columns: ["pid"], sort: "pid" });
});

test("a window keeps its order, and at an instant nothing is sorted by its end", () => {
  const window = changed(DEFAULT_VIEW, withScope({ ...DEFAULT_VIEW, sort: "host" }, "window"));

  expect(listParams({ ...window, sort: "host" }, INSTANT)).toMatchObject({ sort: "host", from: 100 });
  expect(sortOf({ ...DEFAULT_VIEW, sort: "-exit_code" })).toBe(DEFAULT_VIEW.sort);
  expect(listParams(DEFAULT_VIEW, INSTANT)).toMatchObject({ at: 1000, sort: "-cpu_total_percent" });
  expect(DEFAULT_VIEW.columns).toBe(DEFAULT_COLUMNS);
});

test("an instant has no window", () => {
  expect(scopeOf({ ...ended, time: { mode: "live" } })).toBe("instant");
  expect(scopeOf({ ...ended, extra: { scope: "other" } })).toBe("instant");
});
