/** Which monitors are listed, and in which order. */

import type { Monitor, MonitorState } from "../../api/monitors";

const SEVERITY: readonly MonitorState[] = ["Alert", "Warn", "Skipped", "No Data", "Unknown", "Ignored", "OK"];

/** Those that have the text in their name, tags or query, and this state if one is chosen. */
export function fitting(monitors: readonly Monitor[], text: string, state: MonitorState | null): Monitor[] {
  const wanted = text.trim().toLowerCase();
  return monitors.filter(
    (one) =>
      (state === null || one.overall_state === state) &&
      [one.name, one.query, ...one.tags].some((part) => part.toLowerCase().includes(wanted)),
  );
}

/** The worst first, then by name. */
export function ordered(monitors: readonly Monitor[]): Monitor[] {
  const severity = (one: Monitor) => SEVERITY.indexOf(one.overall_state);
  return [...monitors].sort((a, b) => severity(a) - severity(b) || a.name.localeCompare(b.name) || a.id - b.id);
}

/** Unix seconds; null where nothing was evaluated yet. */
export function stateSince(monitor: Pick<Monitor, "overall_state_modified">): number | null {
  const text = monitor.overall_state_modified;
  return text === null ? null : Math.floor(Date.parse(text) / 1000);
}
