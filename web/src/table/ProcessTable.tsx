/** The table of all processes. It scrolls through any number of them, since only what is seen is there. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef, useState, type CSSProperties } from "react";

import { followsNow, instantParams, useInstant, windowParams } from "../state/instant";
import { scopeOf } from "../state/scope";
import { useView } from "../state/useView";
import { columnsOf, type Column } from "./columns/columns";
import { HeaderRow } from "./columns/HeaderRow";
import { usePages } from "./paging/usePages";
import { ProcessRow } from "./ProcessRow";
import classes from "./ProcessTable.module.css";
import { ROW_HEIGHT } from "./rowHeight";
import { TableMessages } from "./TableMessages";
import { Toolbar } from "./Toolbar";
import { useRowKeys } from "./useRowKeys";

const OVERSCAN = 6;

export function ProcessTable() {
  const [view, patch] = useView();
  const instant = useInstant();
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<number | null>(null);
  const columns = useMemo(() => columnsOf(view.columns), [view.columns]);
  const scope = scopeOf(view);
  const params =
    scope === "window" ? windowParams(view, instant) : { ...instantParams(view, instant), sort: view.sort };
  const pages = usePages({ scope, params }, instant.isLive);
  const { show, row } = pages;
  const rowCount = pages.rowCount ?? 0;

  // eslint-disable-next-line react-hooks/incompatible-library -- Nothing here is kept by what the virtualizer gives.
  const virtualizer = useVirtualizer({
    count: rowCount,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
    // Else React would draw within the scroll event itself, and the browser could not come in between.
    useFlushSync: false,
    // The header covers the first row.
    scrollPaddingStart: ROW_HEIGHT,
  });
  const items = virtualizer.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 40;
  useEffect(() => show(first, last), [show, first, last, rowCount]);

  // Another query begins at the top; a live one stays where it was scrolled to.
  const query = JSON.stringify([view.search, view.tags, view.sort, scope]);
  const [shownQuery, setShownQuery] = useState(query);
  if (shownQuery !== query) {
    setShownQuery(query);
    setActive(null);
  }
  useEffect(() => {
    // In braces: newer browsers give a promise here.
    scroller.current?.scrollTo({ top: 0 });
  }, [query]);

  const open = useCallback((id: string) => patch({ selected: id }), [patch]);

  const rowKeys = useRowKeys({
    scroller,
    rowCount,
    active,
    onActivate: setActive,
    onScrollTo: (index) => virtualizer.scrollToIndex(index, { align: "auto" }),
    onOpen: (index) => {
      const process = row(index);
      if (process) open(process.id);
    },
  });

  return (
    <section className={classes.table} aria-label="Processes">
      <Toolbar
        total={pages.total}
        columns={columns}
        isBusy={pages.isLoading}
        isStale={pages.isStale}
        scope={scope}
      />
      <TableMessages pages={pages} isNow={followsNow(view.time)} isFiltered={view.search !== "" || view.tags.length > 0} />
      {rowCount > 0 && (
        <div
          ref={scroller}
          className={classes.scroller}
          role="grid"
          aria-label="Processes"
          aria-rowcount={rowCount + 1}
          aria-colcount={columns.length}
          aria-busy={pages.isStale}
          aria-activedescendant={active === null ? undefined : `row-${active}`}
          tabIndex={0}
          onKeyDown={rowKeys}
          style={gridStyle(columns)}
        >
          <HeaderRow columns={columns} scope={scope} />
          <div role="rowgroup" className={classes.rows} style={{ height: virtualizer.getTotalSize() }}>
            {items.map(({ index, start }) => (
              <ProcessRow
                key={index}
                index={index}
                top={start}
                process={row(index)}
                columns={columns}
                isActive={index === active}
                isSelected={row(index)?.id === view.selected}
                onActivate={setActive}
                onOpen={open}
              />
            ))}
          </div>
        </div>
      )}
    </section>
  );
}

/** The widths of the columns, for all rows at once. */
function gridStyle(columns: readonly Column[]): CSSProperties {
  const template = columns.map(({ width, grows }) => (grows ? `minmax(${narrow(width)}, 1fr)` : `${width}px`));
  const widths = columns.map(({ width, grows }) => (grows ? narrow(width) : `${width}px`));
  return { "--columns": template.join(" "), "--width": `calc(${widths.join(" + ")})` } as CSSProperties;
}

/** A column that grows leaves room for another one on a phone. */
function narrow(width: number): string {
  return `min(${width}px, 56vw)`;
}
