/** Where a search cannot be understood. Every call that carries the search is answered with that. */

import { useSyncExternalStore } from "react";

import { ApiError, get, onError } from "../api/client";

export interface SearchError {
  search: string;
  message: string;
  /** Index of the faulty character, from 0, in units of JavaScript's strings; null where none is named. */
  position: number | null;
}

const PREFIX = "Invalid query parameter search: ";

/** The part of an error that is about this search; null if it is about something else. */
export function searchErrorOf(search: string, messages: readonly string[]): SearchError | null {
  const message = messages.find((one) => one.startsWith(PREFIX))?.slice(PREFIX.length);
  if (message === undefined) return null;
  const found = /at character (\d+)/.exec(message);
  return { search, message, position: found ? positionOf(search, Number(found[1])) : null };
}

/** The server counts whole characters from 1; JavaScript counts halves of those beyond U+FFFF. */
function positionOf(search: string, character: number): number {
  return Array.from(search).slice(0, character - 1).join("").length;
}

/** Whether the server can read it; also where it cannot be asked, as then nothing is known against it. */
export async function isUnderstood(search: string): Promise<boolean> {
  if (search === "") return true;
  try {
    await get("/search", { search, language: "procession" });
    return true;
  } catch (error) {
    return !(error instanceof ApiError) || searchErrorOf(search, error.messages) === null;
  }
}

let problem: SearchError | null = null;
const listeners = new Set<() => void>();

onError((params, error) => {
  const { search } = params;
  if (typeof search !== "string" || !(error instanceof ApiError) || error.status !== 400) return;
  const found = searchErrorOf(search, error.messages);
  if (found === null || (found.search === problem?.search && found.message === problem.message)) return;
  problem = found;
  listeners.forEach((listener) => listener());
});

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What is wrong with this search, as soon as a call has found out. */
export function useSearchError(search: string): SearchError | null {
  const found = useSyncExternalStore(subscribe, () => problem);
  return found?.search === search ? found : null;
}
