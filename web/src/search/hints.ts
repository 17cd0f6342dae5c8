/** What the server says beside answers in which nothing was found: what was meant, maybe. */

import { useSyncExternalStore } from "react";

import { onAnswer, type Params, type ParamValue } from "../api/client";
import type { Meta } from "../api/types";

export interface Said {
  hints: readonly string[];
}

const NOTHING: Said = { hints: [] };

/** What each call of one question said last; another search or other tags are another question. */
export class Sayings {
  private question = "";
  private readonly byPath = new Map<string, Meta>();
  private taken = NOTHING;

  /** Whether that changes what is to be shown. */
  take(path: string, params: Params, answer: unknown): boolean {
    const meta = metaOf(answer);
    if (meta === null || !("search" in params || "tags" in params)) return false;
    const question = questionOf(params.search, params.tags);
    if (question !== this.question) this.byPath.clear();
    this.question = question;
    this.byPath.set(path, meta);
    const before = this.taken;
    // Where any of them has found something there is nothing to explain.
    const all = [...this.byPath.values()].map(({ hints }) => hints ?? []);
    this.taken = { hints: all.every((hints) => hints.length > 0) ? (all[0] ?? []) : [] };
    return JSON.stringify(before) !== JSON.stringify(this.taken);
  }

  of(search: string, tags: readonly string[]): Said {
    return questionOf(search, tags.join(",")) === this.question ? this.taken : NOTHING;
  }
}

function questionOf(search: ParamValue, tags: ParamValue): string {
  return JSON.stringify([search ?? "", tags ?? ""]);
}

function metaOf(answer: unknown): Meta | null {
  const meta = (answer as { meta?: Meta | null } | null | undefined)?.meta;
  return meta ?? null;
}

const sayings = new Sayings();
let version = 0;
const listeners = new Set<() => void>();

onAnswer((path, params, answer) => {
  if (!sayings.take(path, params, answer)) return;
  version += 1;
  listeners.forEach((listener) => listener());
});

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Of this search with these tags, as soon as a call has found out. */
export function useSaid(search: string, tags: readonly string[]): Said {
  useSyncExternalStore(subscribe, () => version);
  return sayings.of(search, tags);
}
