import { useEffect } from "react";

import { isEditable } from "../../ui/parts/isEditable";
import { useRowWalk, type WalkStep } from "./rowWalk";

const STEPS: Readonly<Record<string, WalkStep | undefined>> = { ArrowDown: 1, ArrowUp: -1 };

/** Where the arrows mean something else: among tabs and choices, along a curve, in a menu. */
const OWN_ARROWS = '[role="tablist"], [role="radiogroup"], [role="menu"], [role="listbox"], [role="slider"], [role="img"], select, input';

/** While the panel of a process is open, up and down walk through the rows of the table below it. */
export function useWalkKeys(): void {
  const rows = useRowWalk();
  useEffect(() => {
    if (rows === null) return;
    const step = (event: KeyboardEvent) => {
      const way = STEPS[event.key];
      if (way === undefined || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (isEditable(event.target) || (event.target instanceof Element && event.target.closest(OWN_ARROWS))) return;
      event.preventDefault();
      rows.walk(way);
    };
    window.addEventListener("keydown", step);
    return () => window.removeEventListener("keydown", step);
  }, [rows]);
}
