import { useState, type RefObject } from "react";

/** Copies a text. Over plain HTTP from another machine a browser gives no clipboard: what shows it is selected then. */
export function useCopy(text: string, shown: RefObject<HTMLElement | null>): { said: string; copy: () => void } {
  const [done, setDone] = useState<{ of: string; said: string } | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone({ of: text, said: "Copied." });
    } catch {
      if (shown.current) window.getSelection()?.selectAllChildren(shown.current);
      setDone({ of: text, said: "Selected: press Ctrl+C." });
    }
  };
  return { said: done?.of === text ? done.said : "", copy: () => void copy() };
}
