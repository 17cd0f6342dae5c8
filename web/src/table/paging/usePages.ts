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
  /** The order of the rows is that of an earlier step: only their numbers move. */
  isHeld: boolean;
  /** Another one with each change. */
  version: number;
}

export interface Pages extends PagesState {
  row: (index: number) => ProcessItem | undefined;
  show: (first: number, last: number) => void;
  retry: () => void;
  /** While a live view is held its rows keep their places. */
  hold: (isHeld: boolean) => void;
}

const NOTHING: PagesState = {
  rowCount: null,
  total: null,
  isKnown: true,
  at: null,
  error: null,
  isLoading: true,
  isStale: true,
  isHeld: false,
  version: 0,
};

class PageStore {
  private current: Pager<ProcessItem> | null = null;
  private next: Pager<ProcessItem> | null = null;
  /** The query to run once `next` has come: while the view moves on, a slow answer must not be cancelled each time. */
  private queued: TableQuery | null = null;
  /** Whose order is shown while the rows hold still; `current` is newer then, and has their numbers. */
  private held: Pager<ProcessItem> | null = null;
  private newest: ReadonlyMap<string, ProcessItem> = new Map();
  /** The query that was asked last, as text. */
  asked = "";
  /** What `current` and `next` answer, whenever that was. */
  private questions = { current: "", next: "" };
  private wantsHold = false;
  private range: [number, number] = [0, 40];
  private isLive = false;
  private state = NOTHING;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getState = (): PagesState => this.state;

  ask(key: string, isLive: boolean): void {
    this.asked = key;
    this.run(JSON.parse(key) as TableQuery, isLive);
  }

  private run(query: TableQuery, isLive: boolean): void {
    const isStep = isLive && this.isLive && this.next !== null;
    this.isLive = isLive;
    if (isStep) {
      this.queued = query;
      return;
    }
    this.queued = null;
    this.next?.close();
    this.questions.next = questionOf(query);
    this.next = new Pager(pagesOf(query.scope, query.params, PAGER_OPTIONS.pageSize), () => this.changed());
    this.next.show(...this.range);
    this.publish();
  }

  row(index: number): ProcessItem | undefined {
    if (this.held === null || this.held === this.current) return this.current?.row(index);
    const before = this.held.row(index);
    return before && (this.newest.get(before.id) ?? before);
  }

  hold(isHeld: boolean): void {
    if (this.wantsHold === isHeld) return;
    this.wantsHold = isHeld;
    if (isHeld && this.isLive) this.held = this.current;
    else this.release();
    this.publish();
  }

  show(first: number, last: number): void {
    this.range = [first, last];
    if (this.held !== this.current) this.held?.show(first, last);
    this.current?.show(first, last);
    this.next?.show(first, last);
  }

  retry(): void {
    (this.next ?? this.current)?.retry();
  }

  close(): void {
    this.release();
    this.current?.close();
    this.next?.close();
    this.current = this.next = this.queued = null;
    this.state = NOTHING;
  }

  private release(): void {
    if (this.held !== this.current) this.held?.close();
    this.held = null;
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
        const isAnother = this.questions.current !== this.questions.next;
        if (isAnother || !this.isLive) this.release();
        if (current !== this.held) current?.close();
        this.current = next;
        this.questions.current = this.questions.next;
        if (this.wantsHold && this.isLive) this.held ??= next;
        noteRows();
      }
      if (this.queued !== null) {
        this.run(this.queued, this.isLive);
        return;
      }
    }
    this.publish();
  }

  private publish(): void {
    const { current, next, held } = this;
    const isHeld = held !== null && held !== current;
    this.newest = new Map(isHeld ? current?.items().map((item) => [item.id, item]) : []);
    this.state = {
      isHeld,
      rowCount: (held ?? current)?.rowCount ?? null,
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
  useEffect(() => store.ask(key, isLive), [store, key, isLive]);
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
  const hold = useCallback((isHeld: boolean) => store.hold(isHeld), [store]);
  // Effects run after the page is drawn: until then the rows are those of the query before, too.
  return { ...state, isStale: state.isStale || store.asked !== key, row, show, retry, hold };
}

const MOMENTS = new Set(["at", "from", "to"]);

/** What is asked, whenever it is asked. */
function questionOf({ scope, params }: TableQuery): string {
  return JSON.stringify([scope, Object.entries(params).filter(([name]) => !MOMENTS.has(name))]);
}
