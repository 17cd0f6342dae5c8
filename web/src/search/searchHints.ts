/** Hints that the server gives with answers in which nothing was found: what the search may have meant. */

import { useSyncExternalStore } from "react";

import { onAnswer, type Params, type ParamValue } from "../api/client";
import type { Meta } from "../api/types";

const NONE: readonly string[] = [];

/** The hints of one query, from all its calls; another search or other tags are another query. */
export class SearchHints {
  private query = "";
  private readonly byPath = new Map<string, Meta>();
  private hints = NONE;

  /** Takes in an answer. True if that changes the hints to be shown. */
  take(path: string, params: Params, answer: unknown): boolean {
    const meta = metaOf(answer);
    if (meta === null || !("search" in params || "tags" in params)) return false;
    const query = queryOf(params.search, params.tags);
    if (query !== this.query) this.byPath.clear();
    this.query = query;
    this.byPath.set(path, meta);
    const before = this.hints;
    // Where any call has found something there is nothing to explain.
    const all = [...this.byPath.values()].map(({ hints }) => hints ?? []);
    this.hints = all.every((hints) => hints.length > 0) ? (all[0] ?? NONE) : NONE;
    return JSON.stringify(before) !== JSON.stringify(this.hints);
  }

  of(search: string, tags: readonly string[]): readonly string[] {
    return queryOf(search, tags.join(",")) === this.query ? this.hints : NONE;
  }
}

function queryOf(search: ParamValue, tags: ParamValue): string {
  return JSON.stringify([search ?? "", tags ?? ""]);
}

function metaOf(answer: unknown): Meta | null {
  const meta = (answer as { meta?: Meta | null } | null | undefined)?.meta;
  return meta ?? null;
}

const searchHints = new SearchHints();
let version = 0;
const listeners = new Set<() => void>();

onAnswer((path, params, answer) => {
  if (!searchHints.take(path, params, answer)) return;
  version += 1;
  listeners.forEach((listener) => listener());
});

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The hints for this search with these tags, as soon as its calls are answered. */
export function useSearchHints(search: string, tags: readonly string[]): readonly string[] {
  useSyncExternalStore(subscribe, () => version);
  return searchHints.of(search, tags);
}
