/** From the process whose panel is open to the one before or after it: the table knows which that is, the panel asks. */

import { useSyncExternalStore } from "react";

export type WalkStep = -1 | 1;

export interface RowWalk {
  hasPrevious: boolean;
  hasNext: boolean;
  /** Opens the row before or after. */
  walk: (step: WalkStep) => void;
}

let current: RowWalk | null = null;
const listeners = new Set<() => void>();

/** Says how one can walk from the open process; null where it is in no row. */
export function offerWalk(walk: RowWalk | null): void {
  if (current === walk) return;
  current = walk;
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useRowWalk(): RowWalk | null {
  return useSyncExternalStore(subscribe, () => current);
}
