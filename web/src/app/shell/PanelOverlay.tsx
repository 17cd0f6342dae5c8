import { useEffect, useRef, type ReactNode } from "react";

import classes from "./PanelOverlay.module.css";

/** Holds the panel of a process at the right, over the page, which stays usable; on phones it covers the screen. */
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
