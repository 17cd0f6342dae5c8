import { expect, test } from "vitest";

import { beforeView, instantView } from "./transitionView";
import { placeOf, towards, type Place } from "./place";

const query = {
  search: "nginx",
  language: "datadog",
  over: ["env:prod", "*"],
  by: ["host"],
  function: "count",
  measure: null,
  window_seconds: 600,
  comparison: "<",
  threshold: 1,
} as const;
const one = { at: 7000, tags: { host: "web-1" } };

test("a transition opens the table at its instant, with the search of its monitor and its group", () => {
  expect(instantView({ ...query, over: [...query.over], by: [] }, one)).toEqual({
    tab: "table",
    selected: null,
    search: '"nginx"',
    tags: ["env:prod", "host:web-1"],
    time: { mode: "at", at: 7000 },
  });
});

test("a search in our own language is shown as it is", () => {
  expect(instantView({ ...query, language: "procession", over: [], by: [] }, one).search).toBe("nginx");
});

test("what is gone is found in the time before, with what has ended", () => {
  const view = beforeView({ ...query, over: [], by: [] }, one, { days: "7" });

  expect(view).toMatchObject({ time: { mode: "range", from: 6100, to: 7000 }, extra: { days: "7", scope: "window" } });
});

test.each<Place>([
  { part: "list" },
  { part: "channels" },
  { part: "starters" },
  { part: "new" },
  { part: "new", starter: "gone" },
  { part: "monitor", id: 7 },
  { part: "edit", id: 7 },
  { part: "clone", id: 7 },
])("the address keeps the place %j", (place) => {
  expect(placeOf(towards(place, { days: "7", monitor: "9", starter: "x" }).extra)).toEqual(place);
});

test("an address that makes no sense leads to the list", () => {
  expect(placeOf({ monitors: "edit", monitor: "x" })).toEqual({ part: "list" });
});
