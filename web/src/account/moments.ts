/** Moments as the large page shows them: in the zone of the viewer, or in UTC where the viewer has said so there. */

function zone(): "UTC" | undefined {
  try {
    return localStorage.getItem("procession-utc") === "1" ? "UTC" : undefined;
  } catch {
    return undefined;
  }
}

/** `2026-03-01 12:00:03`; empty for what is not known. */
export function showMoment(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "";
  // The Swedish write it as everybody can read it.
  const format = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: zone() });
  return format.format(new Date(seconds * 1000));
}

/** Unix seconds of what stands in a field of date and time; null where nothing does. */
export function momentOf(text: string): number | null {
  const milliseconds = Date.parse(zone() === "UTC" ? `${text}Z` : text);
  return Number.isNaN(milliseconds) ? null : Math.floor(milliseconds / 1000);
}
