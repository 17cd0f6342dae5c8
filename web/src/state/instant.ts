/** Which instant the view is of, and what that is as parameters of the API. */

import { createContext, useContext } from "react";
import type { Params } from "../api/client";
import { tagsOf } from "./filters";
import type { ViewState, ViewTime } from "./view";

export interface Window {
  from: number;
  to: number;
}

export interface Instant {
  /** The instant that is looked at; all that is on the page is of this one. */
  at: number;
  /** The window that ends there, for curves over time. */
  window: Window;
  isLive: boolean;
  /** Moves `at` on to now, where the view is of now. */
  refresh: () => void;
}

/** How long a curve is where the view is of an instant. */
const LIVE_SECONDS = 900;

/** The instant of a view at a moment: its end, or now. */
export function instantOf(time: ViewTime, now: number): number {
  switch (time.mode) {
    case "at":
      // What is to come is not known: the server answers with now.
      return Math.min(time.at, now);
    case "range":
      return Math.min(time.to, now);
    default:
      return now;
  }
}

/** The window of a view at a moment. */
export function windowOf(time: ViewTime, now: number): Window {
  const to = instantOf(time, now);
  switch (time.mode) {
    case "range":
      return { from: time.from, to: time.to };
    case "last":
      return { from: to - time.seconds, to };
    default:
      return { from: to - LIVE_SECONDS, to };
  }
}

/** Whether its instant moves with the clock. */
export function followsNow(time: ViewTime): boolean {
  return time.mode === "live" || time.mode === "last";
}

type Filters = Pick<ViewState, "search" | "tags">;

/** Of tags that are none, but how processes ended. */
const ENDING = /^(ended|exit_code|signal|lifetime):/i;

function filterParams(view: Filters): Params {
  return { search: view.search, tags: view.tags.join(","), ...languageParams(view) };
}

/** What says to the API that a search is in our own language, where there is something to say. */
export function languageParams(view: Filters): Params {
  const isPlain = view.search === "" && !view.tags.flatMap(tagsOf).some((tag) => ENDING.test(tag));
  return isPlain ? {} : { language: "procession" };
}

/** Parameters of a call about an instant: groups, points, trees, the table. */
export function instantParams(view: Filters, instant: Pick<Instant, "at">): Params {
  return { at: instant.at, ...filterParams(view) };
}

/** Parameters of a call about a window: time series, and facets of all that was seen in it. */
export function windowParams(view: Filters, instant: Pick<Instant, "window">): Params {
  return { from: instant.window.from, to: instant.window.to, ...filterParams(view) };
}

export const InstantContext = createContext<Instant | null>(null);

/** The instant that the whole page shows. While it is live it moves on by itself. */
export function useInstant(): Instant {
  const instant = useContext(InstantContext);
  if (instant === null) throw new Error("useInstant is for what is inside InstantProvider");
  return instant;
}
