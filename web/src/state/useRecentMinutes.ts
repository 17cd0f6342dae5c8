import { useInstant, type Window } from "./instant";

/** As long as the default window, and the minute that has begun. */
const RECENT_SECONDS = 16 * 60;

/** The minutes up to the instant, in which tag keys and values are looked up. They change once a minute, not with each
 * live step. */
export function useRecentMinutes(): Window {
  const { at } = useInstant();
  const to = at - (at % 60) + 60;
  return { from: to - RECENT_SECONDS, to };
}
