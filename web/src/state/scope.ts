/** Which processes the table has: those at the instant, or all that were seen in the window. */

import type { Params } from "../api/client";
import { instantParams, windowParams, type Instant } from "./instant";
import type { ViewState } from "./view";

/** `window` also lists processes that have ended; only by start, as the public API does. */
export type Scope = "instant" | "window";

/** Whether the time of the view is a stretch, and not a single instant or now. */
export function hasWindow(view: Pick<ViewState, "time">): boolean {
  return view.time.mode === "last" || view.time.mode === "range";
}

export function scopeOf(view: Pick<ViewState, "extra" | "time">): Scope {
  return hasWindow(view) && view.extra.scope === "window" ? "window" : "instant";
}

/** Counting goes on in steps: while the view is live, facets need not move every two seconds. */
const COUNT_STEP_SECONDS = 10;

/** Parameters of a call that counts what the table shows. */
export function countParams(view: ViewState, instant: Instant): Params {
  if (scopeOf(view) === "window") return windowParams(view, instant);
  const at = instant.isLive ? instant.at - (instant.at % COUNT_STEP_SECONDS) : instant.at;
  return instantParams(view, { at });
}
