/** Walking through the rows by keys. */

import { useEffect, type KeyboardEvent, type RefObject } from "react";

import { isEditable } from "../ui/parts/isEditable";
import { moveTo } from "./keyboard";
import { ROW_HEIGHT } from "./rowHeight";

interface RowKeysInput {
  scroller: RefObject<HTMLElement | null>;
  rowCount: number;
  active: number | null;
  /** Whether a process is open: then up and down lead to the next one (see `useWalkKeys`). */
  isOpen: boolean;
  onActivate: (change: number | null | ((before: number | null) => number | null)) => void;
  onScrollTo: (index: number) => void;
  onOpen: (index: number) => void;
}

/** Gives what handles the keys that are pressed in the table; the first arrow finds it from anywhere. */
export function useRowKeys(input: RowKeysInput): (event: KeyboardEvent) => void {
  const { scroller, rowCount, active, isOpen, onActivate, onScrollTo, onOpen } = input;

  // Arrows work wherever one is not typing.
  useEffect(() => {
    const enter = (event: globalThis.KeyboardEvent) => {
      if (isOpen || event.key !== "ArrowDown" || event.defaultPrevented || isEditable(event.target)) return;
      if (document.activeElement !== document.body) return;
      event.preventDefault();
      scroller.current?.focus();
      onActivate((before) => before ?? 0);
    };
    window.addEventListener("keydown", enter);
    return () => window.removeEventListener("keydown", enter);
  }, [scroller, isOpen, onActivate]);

  return (event) => {
    if (event.target !== event.currentTarget) return;
    if (isOpen && (event.key === "ArrowDown" || event.key === "ArrowUp")) return;
    if (event.key === "Enter") {
      if (active !== null) onOpen(active);
      return;
    }
    if (event.key === "Escape") {
      onActivate(null);
      return;
    }
    const height = scroller.current?.clientHeight ?? 0;
    const next = moveTo(event.key, active, rowCount, Math.max(1, Math.floor(height / ROW_HEIGHT) - 2));
    if (next === null) return;
    event.preventDefault();
    onActivate(next);
    onScrollTo(next);
  };
}
