/** Whether the table has shown rows since the page was opened: what takes longer to find waits for that. */

import { useSyncExternalStore } from "react";

let isThere = false;
const listeners = new Set<() => void>();

export function noteRows(): void {
  if (isThere) return;
  isThere = true;
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useHasRows(): boolean {
  return useSyncExternalStore(subscribe, () => isThere);
}
