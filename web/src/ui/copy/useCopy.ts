import { useState, type RefObject } from "react";

/** Copies a text. Over plain HTTP from another machine a browser gives no clipboard: what shows it is selected then. */
export function useCopy(text: string, shown: RefObject<HTMLElement | null>): { message: string; copy: () => void } {
  const [done, setDone] = useState<{ of: string; message: string } | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone({ of: text, message: "Copied." });
    } catch {
      if (shown.current) window.getSelection()?.selectAllChildren(shown.current);
      setDone({ of: text, message: "Selected: press Ctrl+C." });
    }
  };
  return { message: done?.of === text ? done.message : "", copy: () => void copy() };
}
