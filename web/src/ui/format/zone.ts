/** Whether moments are shown in UTC or in the viewer's zone: kept by the browser, and the same in all of the page. */

import { useSyncExternalStore } from "react";

const STORED = "procession-utc";

let isUtc = read();
const listeners = new Set<() => void>();

function read(): boolean {
  try {
    return localStorage.getItem(STORED) === "1";
  } catch {
    return false;
  }
}

/** For `Intl`: undefined is the viewer's own. */
export function timeZone(): "UTC" | undefined {
  return isUtc ? "UTC" : undefined;
}

export function showUtc(isWanted: boolean): void {
  isUtc = isWanted;
  try {
    localStorage.setItem(STORED, isWanted ? "1" : "0");
  } catch {
    // A browser that keeps nothing shows them so until it is closed.
  }
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useIsUtc(): boolean {
  return useSyncExternalStore(subscribe, () => isUtc);
}

/** A form of moments in the zone that is chosen. */
export function zoned(options: Intl.DateTimeFormatOptions): (date: Date) => string {
  const local = new Intl.DateTimeFormat(undefined, options);
  const utc = new Intl.DateTimeFormat(undefined, { ...options, timeZone: "UTC" });
  return (date) => (isUtc ? utc : local).format(date);
}
