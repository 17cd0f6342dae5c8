/** The table of all processes. It scrolls through any number of them, since only what is seen is there. */

import type { VirtualItem } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef, useState, type CSSProperties, type RefObject } from "react";

import type { ProcessItem } from "../api/types";
import { followsNow, useInstant } from "../state/instant";
import { listParams, scopeOf, type Scope } from "../state/scope";
import { useView } from "../state/useView";
import type { ViewState } from "../state/view";
import { columnsOf, type Column } from "./columns/columns";
import { HeaderRow } from "./columns/HeaderRow";
import { useColumnWidths } from "./columns/useColumnWidths";
import { usePages } from "./paging/usePages";
import { ProcessRow } from "./ProcessRow";
import classes from "./ProcessTable.module.css";
import { TableMessages } from "./TableMessages";
import { Toolbar } from "./Toolbar";
import { useOpenRow } from "./useOpenRow";
import { useRowKeys } from "./useRowKeys";
import { useVisibleRows } from "./useVisibleRows";

export function ProcessTable() {
  const [view, patch] = useView();
  const scroller = useRef<HTMLDivElement>(null);
  const columns = useMemo(() => columnsOf(view.columns), [view.columns]);
  const widths = useColumnWidths(columns);
  const scope = scopeOf(view);
  const pages = usePagesOf(view, scope);
  const { show, row } = pages;
  const rowCount = pages.rowCount ?? 0;

  const { items, first, last, height, scrollTo } = useVisibleRows(scroller, rowCount, show);
  const [active, setActive] = useActiveRow(JSON.stringify([view.search, view.tags, view.sort, scope]), scroller);
  const open = useCallback((id: string) => patch({ selected: id }), [patch]);
  useOpenRow({ selected: view.selected, active, rowCount, first, last, row, onActivate: setActive, onScrollTo: scrollTo });

  const isOpen = view.selected !== null;
  const openAt = (index: number) => {
    const process = row(index);
    if (process) open(process.id);
  };
  const steps = { scroller, rowCount, active, isOpen, onActivate: setActive, onScrollTo: scrollTo };
  const rowKeys = useRowKeys({ ...steps, onOpen: openAt });

  return (
    <section className={classes.table} aria-label="Processes">
      <Toolbar pages={pages} columns={columns} scope={scope} />
      <TableMessages pages={pages} isNow={followsNow(view.time)} isFiltered={view.search !== "" || view.tags.length > 0} scope={scope} />
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
          style={gridStyle(widths.columns)}
        >
          <HeaderRow columns={widths.columns} scope={scope} resize={widths.resize} reset={widths.reset} />
          <Rows
            items={items}
            height={height}
            row={row}
            columns={columns}
            active={active}
            selected={view.selected}
            onActivate={setActive}
            onOpen={open}
            onHold={pages.hold}
          />
        </div>
      )}
    </section>
  );
}

/** The pages of the view: of its instant, or of its whole window. */
function usePagesOf(view: ViewState, scope: Scope) {
  const instant = useInstant();
  return usePages({ scope, params: listParams(view, instant) }, instant.isLive);
}

interface RowsProps {
  items: readonly VirtualItem[];
  /** Of all rows, in pixels. */
  height: number;
  row: (index: number) => ProcessItem | undefined;
  columns: readonly Column[];
  active: number | null;
  selected: string | null;
  onActivate: (index: number) => void;
  onOpen: (id: string) => void;
  /** Whether the pointer is over them. */
  onHold: (isHeld: boolean) => void;
}

function Rows({ items, height, row, columns, active, selected, onActivate, onOpen, onHold }: RowsProps) {
  return (
    <div
      role="rowgroup"
      className={classes.rows}
      style={{ height }}
      onPointerMove={(event) => {
        if (event.pointerType === "mouse") onHold(true);
      }}
      onPointerLeave={() => onHold(false)}
    >
      {items.map(({ index, start }) => (
        <ProcessRow
          key={index}
          index={index}
          top={start}
          process={row(index)}
          columns={columns}
          isActive={index === active}
          isSelected={row(index)?.id === selected}
          onActivate={onActivate}
          onOpen={onOpen}
        />
      ))}
    </div>
  );
}

/** The row that the keys are at. Another query begins at the top; a live one stays where it was scrolled to. */
function useActiveRow(query: string, scroller: RefObject<HTMLDivElement | null>) {
  const [active, setActive] = useState<number | null>(null);
  const [shownQuery, setShownQuery] = useState(query);
  if (shownQuery !== query) {
    setShownQuery(query);
    setActive(null);
  }
  useEffect(() => {
    // In braces: newer browsers give a promise here.
    scroller.current?.scrollTo({ top: 0 });
  }, [query, scroller]);
  return [active, setActive] as const;
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
