/** The rows of the table for what is asked. Those of the question before stay until the new ones are there. */

import { useCallback, useEffect, useState, useSyncExternalStore } from "react";

import type { Params } from "../api/client";
import type { ProcessItem } from "../api/types";
import { noteRows } from "./firstRows";
import { Pager, PAGER_OPTIONS } from "./pager";
import type { Scope } from "./scope";
import { pagesOf } from "./sources";

export interface Question {
  scope: Scope;
  params: Params;
}

interface Snapshot {
  /** null until the first page has come. */
  rowCount: number | null;
  /** Of all that there is, which may be more than can be scrolled to; null where it is not told. */
  total: number | null;
  /** Whether anything is known of what is asked for. */
  isKnown: boolean;
  error: Error | null;
  /** Something is under way. */
  isLoading: boolean;
  /** What is shown is of the question before. */
  isStale: boolean;
  /** Another one with each change. */
  version: number;
}

export interface Pages extends Snapshot {
  row: (index: number) => ProcessItem | undefined;
  show: (first: number, last: number) => void;
  retry: () => void;
}

const NOTHING: Snapshot = {
  rowCount: null,
  total: null,
  isKnown: true,
  error: null,
  isLoading: true,
  isStale: true,
  version: 0,
};

export class PageStore {
  private current: Pager<ProcessItem> | null = null;
  private next: Pager<ProcessItem> | null = null;
  /** What to ask once `next` has arrived: where the view moves on, an answer that takes long must not starve. */
  private waiting: Question | null = null;
  private range: [number, number] = [0, 40];
  private isLive = false;
  private taken = NOTHING;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): Snapshot => this.taken;

  ask(question: Question, isLive: boolean): void {
    const isStep = isLive && this.isLive && this.next !== null;
    this.isLive = isLive;
    if (isStep) {
      this.waiting = question;
      return;
    }
    this.waiting = null;
    this.next?.close();
    this.next = new Pager(pagesOf(question.scope, question.params, PAGER_OPTIONS.pageSize), () => this.changed());
    this.next.show(...this.range);
    this.take();
  }

  row(index: number): ProcessItem | undefined {
    return this.current?.row(index);
  }

  show(first: number, last: number): void {
    this.range = [first, last];
    this.current?.show(first, last);
    this.next?.show(first, last);
  }

  retry(): void {
    (this.next ?? this.current)?.retry();
  }

  close(): void {
    this.current?.close();
    this.next?.close();
    this.current = this.next = this.waiting = null;
    this.taken = NOTHING;
  }

  private changed(): void {
    const { current, next } = this;
    if (next !== null && (next.isReady || next.error !== null)) {
      this.next = null;
      if (next.error !== null && current !== null && this.isLive) {
        // A live view goes on with what it has, says what is wrong, and tries again with the next step.
        current.error = next.error;
        next.close();
      } else {
        current?.close();
        this.current = next;
        noteRows();
      }
      if (this.waiting !== null) {
        this.ask(this.waiting, this.isLive);
        return;
      }
    }
    this.take();
  }

  private take(): void {
    const { current, next } = this;
    this.taken = {
      rowCount: current?.rowCount ?? null,
      total: current?.total ?? null,
      isKnown: current?.isKnown ?? true,
      error: (current ?? next)?.error ?? null,
      isLoading: (current?.isLoading ?? false) || (next?.isLoading ?? false),
      isStale: next !== null,
      version: this.taken.version + 1,
    };
    this.listeners.forEach((listener) => listener());
  }
}

export function usePages(question: Question, isLive: boolean): Pages {
  const [store] = useState(() => new PageStore());
  const taken = useSyncExternalStore(store.subscribe, store.snapshot);
  const key = JSON.stringify(question);
  useEffect(() => store.ask(JSON.parse(key) as Question, isLive), [store, key, isLive]);
  useEffect(() => () => store.close(), [store]);
  const { version } = taken;
  // A new function with each change: whoever draws rows with it draws them anew.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const row = useCallback((index: number) => store.row(index), [store, version]);
  const show = useCallback((first: number, last: number) => store.show(first, last), [store]);
  const retry = useCallback(() => store.retry(), [store]);
  return { ...taken, row, show, retry };
}
