import { useMemo, useState } from "react";

import { useExtra } from "../../state/useView";
import { formatWidths, parseWidths, withinWidths, withWidths, type Column } from "./columns";

export interface ColumnWidths {
  /** The columns, as wide as they are now. */
  columns: Column[];
  /** Makes a column as wide as this; it is kept in the address once `isDone`. */
  resize: (id: string, width: number, isDone: boolean) => void;
  /** Gives a column the width that it has by itself. */
  reset: (id: string) => void;
}

/** The widths of the view, and while one is dragged that of the pointer: the address need not follow each step. */
export function useColumnWidths(columns: readonly Column[]): ColumnWidths {
  const [text, setText] = useExtra("widths", "");
  const [dragged, setDragged] = useState<{ id: string; width: number } | null>(null);
  const widths = useMemo(() => parseWidths(text), [text]);

  const resize = (id: string, width: number, isDone: boolean) => {
    setDragged(isDone ? null : { id, width: withinWidths(width) });
    if (isDone) setText(formatWidths(new Map(widths).set(id, withinWidths(width))), "replace");
  };
  const reset = (id: string) => {
    setText(formatWidths(new Map([...widths].filter(([one]) => one !== id))), "replace");
  };
  const shown = dragged === null ? widths : new Map(widths).set(dragged.id, dragged.width);
  return { columns: withWidths(columns, shown), resize, reset };
}
