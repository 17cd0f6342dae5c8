import { useEffect, useRef, type ReactNode } from "react";

import classes from "./PanelPlace.module.css";

/** Where the panel of a process is: at the right, over the page, which can be used all the same; on phones all of it. */
export function PanelPlace({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const before = document.activeElement;
    place.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);

  return (
    <div
      ref={place}
      role="dialog"
      aria-label="Process"
      tabIndex={-1}
      className={classes.place}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.defaultPrevented) onClose();
      }}
    >
      {children}
    </div>
  );
}
