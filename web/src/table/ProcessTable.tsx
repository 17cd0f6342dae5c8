/** The table of all processes. It scrolls through any number of them, since only what is seen is there. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";

import { Empty } from "../ui/parts/Empty";
import { Loading } from "../ui/parts/Loading";
import { NothingKnown } from "../ui/parts/NothingKnown";
import { Problem } from "../ui/parts/Problem";
import { isEditable } from "../ui/parts/isEditable";
import { followsNow, instantParams, useInstant, windowParams } from "../state/instant";
import { useView } from "../state/useView";
import { columnsOf } from "./columns/columns";
import { HeaderRow } from "./columns/HeaderRow";
import { moveTo } from "./keyboard";
import { ProcessRow } from "./ProcessRow";
import classes from "./ProcessTable.module.css";
import { scopeOf } from "../state/scope";
import { MAX_ROWS } from "./paging/fetchPages";
import { Toolbar } from "./Toolbar";
import { usePages } from "./paging/usePages";

export const ROW_HEIGHT = 30;
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

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    if (event.key === "Enter") {
      const process = active === null ? undefined : row(active);
      if (process) open(process.id);
      return;
    }
    if (event.key === "Escape") {
      setActive(null);
      return;
    }
    const height = scroller.current?.clientHeight ?? 0;
    const next = moveTo(event.key, active, rowCount, Math.max(1, Math.floor(height / ROW_HEIGHT) - 2));
    if (next === null) return;
    event.preventDefault();
    setActive(next);
    virtualizer.scrollToIndex(next, { align: "auto" });
  };

  // Arrows work wherever one is not typing.
  useEffect(() => {
    const enter = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "ArrowDown" || event.defaultPrevented || isEditable(event.target)) return;
      if (document.activeElement !== document.body) return;
      event.preventDefault();
      scroller.current?.focus();
      setActive((before) => before ?? 0);
    };
    window.addEventListener("keydown", enter);
    return () => window.removeEventListener("keydown", enter);
  }, []);

  const template = columns.map(({ width, grows }) => (grows ? `minmax(${narrow(width)}, 1fr)` : `${width}px`)).join(" ");
  const width = `calc(${columns.map((column) => (column.grows ? narrow(column.width) : `${column.width}px`)).join(" + ")})`;
  const isFirst = pages.rowCount === null;

  return (
    <section className={classes.table} aria-label="Processes">
      <Toolbar
        total={pages.total}
        columns={columns}
        isBusy={pages.isLoading}
        isStale={pages.isStale}
        scope={scope}
      />
      {pages.error && !isFirst && (
        <p className={classes.problem} role="alert">
          {pages.error.message}{" "}
          <button type="button" onClick={pages.retry}>
            Try again
          </button>
        </p>
      )}
      {(pages.total ?? 0) > MAX_ROWS && (
        <p className={classes.note}>Only the first {MAX_ROWS.toLocaleString("en-US")} rows can be shown. Narrow the search to see the rest.</p>
      )}
      {isFirst && pages.error && <Problem error={pages.error} onRetry={pages.retry} />}
      {isFirst && !pages.error && <Loading label="Loading processes" />}
      {!isFirst && rowCount === 0 && (pages.isKnown ? <NothingFound /> : <NothingKnown isNow={followsNow(view.time)} />)}
      {!isFirst && rowCount > 0 && (
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
          onKeyDown={onKeyDown}
          style={{ "--columns": template, "--width": width } as React.CSSProperties}
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

/** A column that grows leaves room for another one on a phone. */
function narrow(width: number): string {
  return `min(${width}px, 56vw)`;
}

function NothingFound() {
  const [view] = useView();
  const isFiltered = view.search !== "" || view.tags.length > 0;
  if (isFiltered) {
    return (
      <Empty title="No process matches">
        Remove a filter, widen the search, or choose another time. With <code>OR</code> between words, either may match.
      </Empty>
    );
  }
  return <Empty title="Nothing found">No host had a process at this time.</Empty>;
}

