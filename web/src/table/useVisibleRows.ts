import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, type RefObject } from "react";

import { ROW_HEIGHT } from "./rowHeight";

/** Rows drawn above and below those in sight. */
const OVERSCAN = 6;
const SCROLLBAR_HEIGHT = 16;

/** The rows that are in sight. `show` is told of them, so that they are fetched. */
export function useVisibleRows(
  scroller: RefObject<HTMLDivElement | null>,
  rowCount: number,
  show: (first: number, last: number) => void,
) {
  // eslint-disable-next-line react-hooks/incompatible-library -- Nothing here is kept by what the virtualizer gives.
  const virtualizer = useVirtualizer({
    count: rowCount,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
    // Else React would draw within the scroll event itself, and the browser could not come in between.
    useFlushSync: false,
    // The header covers the first row, and moves the last one down, where a scrollbar may lie over it.
    scrollPaddingStart: ROW_HEIGHT,
    scrollPaddingEnd: ROW_HEIGHT + SCROLLBAR_HEIGHT,
  });
  const items = virtualizer.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 40;
  useEffect(() => show(first, last), [show, first, last, rowCount]);
  const scrollTo = (index: number) => virtualizer.scrollToIndex(index, { align: "auto" });
  return { items, first, last, height: virtualizer.getTotalSize(), scrollTo };
}
