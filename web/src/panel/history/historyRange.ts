/** The window of the curves in the panel. */

import type { Window } from "../../state/instant";

export const PRESETS = [
  { value: "view", label: "Same as page" },
  { value: "3600", label: "1 hour" },
  { value: "21600", label: "6 hours" },
  { value: "86400", label: "24 hours" },
  { value: "604800", label: "7 days" },
  { value: "2592000", label: "30 days" },
];

/** Up to here each sighting is shown; longer curves are by the minute. */
const SIGHTINGS_SECONDS = 2 * 3600;
const MAX_SECONDS = 31 * 86_400;

export type Resolution = "sighting" | "minute";

/**
 * The window of a range: a preset that ends at the instant of the view, or `FROM-TO`. Where the process was last seen
 * before, it ends there: an empty curve helps nobody.
 */
export function rangeOf(text: string, view: Window, lastSeen: number | null): Window {
  const zoomed = /^(\d{1,10})-(\d{1,10})$/.exec(text);
  if (zoomed) {
    const [from, to] = [Number(zoomed[1]), Number(zoomed[2])];
    if (from < to && to - from <= MAX_SECONDS) return { from, to };
  }
  const isPreset = PRESETS.some((preset) => preset.value === text && text !== "view");
  const length = Math.min(isPreset ? Number(text) : view.to - view.from, MAX_SECONDS);
  const to = lastSeen === null ? view.to : Math.min(view.to, lastSeen);
  return { from: to - length, to };
}

export function resolutionOf({ from, to }: Window): Resolution {
  return to - from <= SIGHTINGS_SECONDS ? "sighting" : "minute";
}
