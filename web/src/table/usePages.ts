/** The rows of the table for what is asked. Those of the question before stay until the new ones are there. */

import { useCallback, useEffect, useRef, useState } from "react";

import type { ProcessItem } from "../api/types";
import { Pager, PAGER_OPTIONS, type FetchPage } from "./pager";

export interface Pages {
  rowCount: number | null;
  row: (index: number) => ProcessItem | undefined;
  error: Error | null;
  /** Something is under way. */
  isLoading: boolean;
  /** What is shown is of the question before. */
  isStale: boolean;
  show: (first: number, last: number) => void;
  retry: () => void;
}

type Rows = Pager<ProcessItem>;

class Shown {
  current: Rows | null = null;
  next: Rows | null = null;
  range: [number, number] = [0, 40];
  /** What to ask once `next` has arrived: while the view moves on, an answer that takes long must not starve. */
  waiting: (() => void) | null = null;
  question: object | null = null;
}

export function usePages(question: string, source: () => FetchPage<ProcessItem>, isLive: boolean): Pages {
  const [, setVersion] = useState(0);
  const shown = useRef(new Shown());
  const sourceOf = useRef(source);
  useEffect(() => {
    sourceOf.current = source;
  });

  useEffect(() => {
    const state = shown.current;
    const changed = () => {
      const { next } = state;
      if (next !== null && (next.isReady || next.error !== null)) {
        // An error, too, is an answer; but a live view goes on with what it has, and tries again.
        if (next.error === null || state.current === null || !isLive) {
          state.current?.close();
          state.current = next;
        } else {
          next.close();
          state.current.error = next.error;
        }
        state.next = null;
        const { waiting } = state;
        state.waiting = null;
        waiting?.();
      }
      setVersion((version) => version + 1);
    };
    const ask = () => {
      state.next?.close();
      state.next = new Pager(sourceOf.current(), changed, PAGER_OPTIONS);
      state.next.show(...state.range);
      setVersion((version) => version + 1);
    };
    if (isLive && state.next !== null) state.waiting = ask;
    else {
      state.waiting = null;
      ask();
    }
  }, [question, isLive]);

  useEffect(() => {
    const state = shown.current;
    return () => {
      state.current?.close();
      state.next?.close();
      state.current = state.next = state.waiting = null;
    };
  }, []);

  const show = useCallback((first: number, last: number) => {
    const state = shown.current;
    state.range = [first, last];
    state.current?.show(first, last);
    state.next?.show(first, last);
  }, []);
  const retry = useCallback(() => (shown.current.next ?? shown.current.current)?.retry(), []);
  const row = useCallback((index: number) => shown.current.current?.row(index), []);

  // eslint-disable-next-line react-hooks/refs -- The pages are a cache outside of React; `version` says when they change.
  const { current, next } = shown.current;
  return {
    rowCount: current?.rowCount ?? null,
    row,
    error: (current ?? next)?.error ?? null,
    isLoading: (current?.isLoading ?? false) || (next?.isLoading ?? false),
    isStale: next !== null,
    show,
    retry,
  };
}
