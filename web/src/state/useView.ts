/** The view as React sees it. The address is where it is kept; nothing else holds it. */

import { useCallback, useSyncExternalStore } from "react";
import { formatView, parseView, type ViewState } from "./view";

export type HistoryMode = "push" | "replace";
type PatchView = (change: Partial<ViewState>, history?: HistoryMode) => void;

const listeners = new Set<() => void>();
let query: string | null = null;
let view: ViewState | null = null;

function current(): ViewState {
  // The same object as long as the address is the same: React compares by identity.
  if (view === null || query !== window.location.search) {
    query = window.location.search;
    view = parseView(query);
  }
  return view;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

/** Goes to a view. `push` is for what the back button should undo, `replace` for steps on the way there. */
export function goTo(next: ViewState, history: HistoryMode = "push"): void {
  const text = formatView(next);
  if (text === window.location.search.slice(1)) return;
  const url = window.location.pathname + (text ? `?${text}` : "");
  window.history[history === "push" ? "pushState" : "replaceState"](null, "", url);
  listeners.forEach((listener) => listener());
}

export const patchView: PatchView = (change, history = "push") => goTo({ ...current(), ...change }, history);

/** The address of the view with a change, for another tab. */
export function addressOf(change: Partial<ViewState>): string {
  return `${window.location.pathname}?${formatView({ ...current(), ...change })}`;
}

/** The view of the address, and how to change parts of it. */
export function useView(): [ViewState, PatchView] {
  const state = useSyncExternalStore(subscribe, current);
  return [state, patchView];
}

/** Sets or, with null, takes away one value of `extra`. */
export function useExtra(key: string, fallback: string): [string, (value: string | null, history?: HistoryMode) => void] {
  const [state] = useView();
  const set = useCallback(
    (value: string | null, history: HistoryMode = "push") => {
      const others = Object.entries(current().extra).filter(([name]) => name !== key);
      const isDefault = value === null || value === fallback;
      patchView({ extra: Object.fromEntries(isDefault ? others : [...others, [key, value]]) }, history);
    },
    [key, fallback],
  );
  return [state.extra[key] ?? fallback, set];
}
