import { useState, type PointerEvent } from "react";

import classes from "./columns.module.css";

interface ColumnResizerProps {
  onResize: (width: number, isDone: boolean) => void;
  onReset: () => void;
}

/** The line at the end of a header: dragging it makes the column wider, a double click as wide as it is by itself. Keys do
 * the same in the header: Shift and the arrows. */
export function ColumnResizer({ onResize, onReset }: ColumnResizerProps) {
  const [held, setHeld] = useState<{ x: number; width: number } | null>(null);
  const widthAt = (event: PointerEvent) => (held === null ? 0 : held.width + event.clientX - held.x);
  return (
    <span
      aria-hidden="true"
      data-held={held === null ? undefined : true}
      className={classes.resizer}
      // Else the browser would drag the whole column.
      onMouseDown={(event) => event.preventDefault()}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setHeld({ x: event.clientX, width: event.currentTarget.parentElement?.getBoundingClientRect().width ?? 0 });
      }}
      onPointerMove={(event) => {
        if (held !== null) onResize(widthAt(event), false);
      }}
      onPointerUp={(event) => {
        if (held !== null && event.clientX !== held.x) onResize(widthAt(event), true);
        setHeld(null);
      }}
      onPointerCancel={() => setHeld(null)}
      onClick={(event) => event.stopPropagation()}
      onDoubleClick={onReset}
    />
  );
}
