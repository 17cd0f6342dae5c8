/** The rows of the table for a query. Those of the query before stay until the new ones have come. */

import { useCallback, useEffect, useState, useSyncExternalStore } from "react";

import { isUnreachable, type Params } from "../../api/client";
import type { ProcessItem } from "../../api/types";
import { noteRows } from "../../state/tableHasRows";
import type { Scope } from "../../state/scope";
import { useIsReached } from "../../state/useReconnect";
import { pagesOf } from "./fetchPages";
import { Pager, PAGER_OPTIONS } from "./pager";

interface TableQuery {
  scope: Scope;
  params: Params;
}

interface PagesState {
  /** null until the first page has come. */
  rowCount: number | null;
  /** Processes in all, which may be more than can be scrolled to; null where the server does not say. */
  total: number | null;
  /** Whether any host reported: without that, no rows mean nothing. */
  isKnown: boolean;
  /** The instant of the rows, as the server says it; null for those of a window. */
  at: number | null;
  error: Error | null;
  /** A call is in flight. */
  isLoading: boolean;
  /** The rows shown are those of the query before. */
  isStale: boolean;
  /** Another one with each change. */
  version: number;
}

export interface Pages extends PagesState {
  row: (index: number) => ProcessItem | undefined;
  show: (first: number, last: number) => void;
  retry: () => void;
}

const NOTHING: PagesState = {
  rowCount: null,
  total: null,
  isKnown: true,
  at: null,
  error: null,
  isLoading: true,
  isStale: true,
  version: 0,
};

class PageStore {
  private current: Pager<ProcessItem> | null = null;
  private next: Pager<ProcessItem> | null = null;
  /** The query to run once `next` has come: while the view moves on, a slow answer must not be cancelled each time. */
  private queued: TableQuery | null = null;
  private range: [number, number] = [0, 40];
  private isLive = false;
  private state = NOTHING;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getState = (): PagesState => this.state;

  ask(query: TableQuery, isLive: boolean): void {
    const isStep = isLive && this.isLive && this.next !== null;
    this.isLive = isLive;
    if (isStep) {
      this.queued = query;
      return;
    }
    this.queued = null;
    this.next?.close();
    this.next = new Pager(pagesOf(query.scope, query.params, PAGER_OPTIONS.pageSize), () => this.changed());
    this.next.show(...this.range);
    this.publish();
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
    this.current = this.next = this.queued = null;
    this.state = NOTHING;
  }

  private changed(): void {
    const { current, next } = this;
    if (next !== null && (next.isReady || next.error !== null)) {
      this.next = null;
      if (next.error !== null && current !== null && this.isLive) {
        // A live view keeps the rows it has, shows the error, and tries again with the next step.
        current.error = next.error;
        next.close();
      } else {
        current?.close();
        this.current = next;
        noteRows();
      }
      if (this.queued !== null) {
        this.ask(this.queued, this.isLive);
        return;
      }
    }
    this.publish();
  }

  private publish(): void {
    const { current, next } = this;
    this.state = {
      rowCount: current?.rowCount ?? null,
      total: current?.total ?? null,
      isKnown: current?.isKnown ?? true,
      at: current?.at ?? null,
      error: (current ?? next)?.error ?? null,
      isLoading: (current?.isLoading ?? false) || (next?.isLoading ?? false),
      isStale: next !== null,
      version: this.state.version + 1,
    };
    this.listeners.forEach((listener) => listener());
  }
}

export function usePages(query: TableQuery, isLive: boolean): Pages {
  const [store] = useState(() => new PageStore());
  const state = useSyncExternalStore(store.subscribe, store.getState);
  const key = JSON.stringify(query);
  useEffect(() => store.ask(JSON.parse(key) as TableQuery, isLive), [store, key, isLive]);
  useEffect(() => () => store.close(), [store]);
  const isReached = useIsReached();
  const isBroken = isUnreachable(state.error);
  useEffect(() => {
    if (isReached && isBroken) store.retry();
  }, [store, isReached, isBroken]);
  const { version } = state;
  // A new function with each change: whoever draws rows with it draws them anew.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const row = useCallback((index: number) => store.row(index), [store, version]);
  const show = useCallback((first: number, last: number) => store.show(first, last), [store]);
  const retry = useCallback(() => store.retry(), [store]);
  return { ...state, row, show, retry };
}
