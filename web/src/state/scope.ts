/** Which processes the table has: those at the instant, all that were seen in the window, or those that ended there. */

import type { Params } from "../api/client";
import { instantParams, windowParams, type Instant } from "./instant";
import { DEFAULT_COLUMNS, DEFAULT_VIEW, ENDED_COLUMNS, type ViewState } from "./view";

/** `window` also lists processes that have ended, `ended` no others. */
export type Scope = "instant" | "window" | "ended";

/** Whether the time of the view is a stretch, and not a single instant or now. */
export function hasWindow(view: Pick<ViewState, "time">): boolean {
  return view.time.mode === "last" || view.time.mode === "range";
}

export function scopeOf(view: Pick<ViewState, "extra" | "time">): Scope {
  const { scope } = view.extra;
  return hasWindow(view) && (scope === "window" || scope === "ended") ? scope : "instant";
}

/** What says how processes ended: at an instant nothing is sorted by it. */
const OF_ENDINGS = new Set(["ended", "exit_code", "signal", "lifetime"]);

export function isOfEnding(column: string): boolean {
  return OF_ENDINGS.has(column);
}

/** The order of the table: that of the view, where the scope has it. */
export function sortOf(view: Pick<ViewState, "extra" | "time" | "sort">): string {
  return scopeOf(view) === "instant" && isOfEnding(view.sort.replace("-", "")) ? DEFAULT_VIEW.sort : view.sort;
}

/** The view with another scope: that of those that have ended begins with the last, and shows how. */
export function withScope(view: ViewState, scope: Scope): Partial<ViewState> {
  const extra = Object.fromEntries(Object.entries(view.extra).filter(([key]) => key !== "scope"));
  const before = scopeOf(view);
  const isFresh = (columns: readonly string[]) => view.columns.join() === columns.join();
  const leavesEnded = before === "ended" && scope !== "ended";
  return {
    extra: scope === "instant" ? extra : { ...extra, scope },
    ...(scope === "ended" && isFresh(DEFAULT_COLUMNS) ? { columns: ENDED_COLUMNS } : {}),
    ...(scope === "ended" && before !== "ended" ? { sort: "-ended" } : {}),
    ...(leavesEnded && isFresh(ENDED_COLUMNS) ? { columns: DEFAULT_COLUMNS } : {}),
    ...(leavesEnded && isOfEnding(view.sort.replace("-", "")) ? { sort: DEFAULT_VIEW.sort } : {}),
  };
}

/** Parameters of the list that the table shows. */
export function listParams(view: ViewState, instant: Instant): Params {
  const scope = scopeOf(view);
  if (scope === "instant") return { ...instantParams(view, instant), sort: sortOf(view) };
  return { ...windowParams(view, instant), sort: view.sort, ...(scope === "ended" ? { ended: "true" } : {}) };
}

/** Counting goes on in steps: while the view is live, facets need not move every two seconds. */
const COUNT_STEP_SECONDS = 10;

/** Parameters of a call that counts what the table shows. */
export function countParams(view: ViewState, instant: Instant): Params {
  const scope = scopeOf(view);
  if (scope !== "instant") return { ...windowParams(view, instant), ...(scope === "ended" ? { ended: "true" } : {}) };
  const at = instant.isLive ? instant.at - (instant.at % COUNT_STEP_SECONDS) : instant.at;
  return instantParams(view, { at });
}
