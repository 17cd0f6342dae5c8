/** Spans of time that are offered, and their names. */

import type { ViewTime } from "../state/view";
import { formatDuration } from "../ui/format/numbers";
import { formatMoment } from "../ui/format/times";

export const PRESETS = [300, 900, 3600, 4 * 3600, 86400, 2 * 86400, 7 * 86400];

const NAMES = new Map([
  [300, "5 minutes"],
  [900, "15 minutes"],
  [3600, "hour"],
  [4 * 3600, "4 hours"],
  [86400, "day"],
  [2 * 86400, "2 days"],
  [7 * 86400, "week"],
]);

export function timeLabel(time: ViewTime): string {
  switch (time.mode) {
    case "live":
      return "every 2 s";
    case "last":
      return `Last ${NAMES.get(time.seconds) ?? formatDuration(time.seconds)}`;
    case "range":
      return `${formatMoment(time.from)} – ${formatMoment(time.to)}`;
    case "at":
      return `At ${formatMoment(time.at)}`;
  }
}

/** The spans that the slider may have, as far as there is history; the last one holds all of it. */
const SLIDER_SPANS = [3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400, 90 * 86400];

export function sliderSpans(retained: number): number[] {
  const shorter = SLIDER_SPANS.filter((span) => span < retained);
  return [...shorter, retained];
}

/** The shortest span in which a moment is. */
export function spanOf(at: number, now: number, spans: readonly number[]): number {
  return spans.find((span) => now - at <= span) ?? spans.at(-1) ?? 3600;
}
