import { useEffect, useRef, type ReactNode } from "react";

import classes from "./PanelOverlay.module.css";

/** Where the panel of a process is: at the right, over the page, which can be used all the same; on phones all of it. */
export function PanelOverlay({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  const overlay = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const before = document.activeElement;
    overlay.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);

  return (
    <div
      ref={overlay}
      role="dialog"
      aria-label="Process"
      tabIndex={-1}
      className={classes.overlay}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.defaultPrevented) onClose();
      }}
    >
      {children}
    </div>
  );
}
