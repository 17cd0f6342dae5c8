import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useState, type KeyboardEvent } from "react";

import type { Scope } from "../../state/scope";
import { useView } from "../../state/useView";
import { moved, nextSort, type Column } from "./columns";
import classes from "./columns.module.css";

/** The names of the columns: a click sorts, dragging moves, and so do Alt and the arrows. */
export function HeaderRow({ columns, scope }: { columns: readonly Column[]; scope: Scope }) {
  const [view, patch] = useView();
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  const ids = columns.map(({ id }) => id);

  const sortBy = (column: Column) => {
    const extra = Object.fromEntries(Object.entries(view.extra).filter(([key]) => key !== "scope"));
    patch({ sort: nextSort(column, scope === "window" ? "" : view.sort), extra });
  };

  const onKeyDown = (event: KeyboardEvent, column: Column) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!event.altKey || step === undefined) return;
    // Alt and an arrow is the back button, too.
    event.preventDefault();
    patch({ columns: moved(ids, column.id, ids.indexOf(column.id) + step) }, "replace");
  };

  return (
    <div role="rowgroup" className={classes.header}>
      <div role="row" aria-rowindex={1} className={classes.headerRow}>
        {columns.map((column) => {
          const direction = directionOf(column, scope === "window" ? "start" : view.sort);
          return (
            <div
              key={column.id}
              role="columnheader"
              aria-sort={direction ?? (column.sort === null ? undefined : "none")}
              className={column.isNumber ? classes.numberHeader : classes.columnHeader}
              data-over={(over === column.id && dragged !== column.id) || undefined}
              draggable
              onDragStart={(event) => {
                event.dataTransfer.effectAllowed = "move";
                event.dataTransfer.setData("text/plain", column.id);
                setDragged(column.id);
              }}
              onDragOver={(event) => {
                if (dragged === null) return;
                event.preventDefault();
                setOver(column.id);
              }}
              onDragEnd={() => {
                setDragged(null);
                setOver(null);
              }}
              onDrop={(event) => {
                event.preventDefault();
                if (dragged !== null) patch({ columns: moved(ids, dragged, ids.indexOf(column.id)) }, "replace");
                setDragged(null);
                setOver(null);
              }}
            >
              {column.sort === null ? (
                <button
                  type="button"
                  className={classes.fixed}
                  title={`${column.label}. Alt+arrows move the column`}
                  onKeyDown={(event) => onKeyDown(event, column)}
                >
                  {column.label}
                </button>
              ) : (
                <button
                  type="button"
                  title={`Sort by ${column.label.toLowerCase()}. Alt+arrows move the column`}
                  onClick={() => sortBy(column)}
                  onKeyDown={(event) => onKeyDown(event, column)}
                >
                  {column.label}
                  {direction === "descending" && <IconArrowDown size={13} aria-hidden="true" />}
                  {direction === "ascending" && <IconArrowUp size={13} aria-hidden="true" />}
                </button>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function directionOf(column: Column, sort: string): "ascending" | "descending" | undefined {
  if (column.sort === null) return undefined;
  if (sort === column.sort) return "ascending";
  return sort === `-${column.sort}` ? "descending" : undefined;
}
