/** Which channels do not get through. */

import type { Notification } from "../../api/monitors";

const DAY_SECONDS = 86_400;

/** Of each channel the newest notification of a day that was tried, where it did not arrive. */
export function failingOf(notifications: readonly Notification[], now: number): Notification[] {
  const newest = new Map<string, Notification>();
  for (const one of notifications) {
    if (one.attempts === 0 || one.created_at < now - DAY_SECONDS) continue;
    const known = newest.get(one.channel);
    if (known === undefined || one.created_at > known.created_at) newest.set(one.channel, one);
  }
  return [...newest.values()].filter((one) => one.delivery !== "sent");
}
