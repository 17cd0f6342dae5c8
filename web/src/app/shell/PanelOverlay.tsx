import { useEffect, useRef, type ReactNode } from "react";

import { useWalkKeys } from "../../state/walk/useWalkKeys";
import classes from "./PanelOverlay.module.css";

/** Holds the panel of a process at the right of the page, below time and search, which stay free; on phones it covers all
 * of the rest. */
export function PanelOverlay({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  const overlay = useRef<HTMLDivElement>(null);
  useWalkKeys();

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
