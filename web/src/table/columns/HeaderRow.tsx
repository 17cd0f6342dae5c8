import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useState, type DragEvent, type KeyboardEvent } from "react";

import type { Scope } from "../../state/scope";
import { useView } from "../../state/useView";
import { moved, nextSort, type Column } from "./columns";
import classes from "./columns.module.css";

/** The names of the columns: a click sorts, dragging moves, and so do Alt and the arrows. */
export function HeaderRow({ columns, scope }: { columns: readonly Column[]; scope: Scope }) {
  const [view, patch] = useView();
  const ids = columns.map(({ id }) => id);

  const drag = useColumnDrag((dragged, onto) => patch({ columns: moved(ids, dragged, ids.indexOf(onto)) }, "replace"));

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
              {...drag(column.id)}
            >
              <HeaderButton
                column={column}
                direction={direction}
                onSort={() => sortBy(column)}
                onKeyDown={(event) => onKeyDown(event, column)}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface HeaderButtonProps {
  column: Column;
  direction: Direction | undefined;
  onSort: () => void;
  onKeyDown: (event: KeyboardEvent) => void;
}

function HeaderButton({ column: { sort, label }, direction, onSort, onKeyDown }: HeaderButtonProps) {
  if (sort === null) {
    return (
      <button
        type="button"
        className={classes.fixed}
        title={`${label}. Alt+arrows move the column`}
        onKeyDown={onKeyDown}
      >
        {label}
      </button>
    );
  }
  return (
    <button
      type="button"
      title={`Sort by ${label.toLowerCase()}. Alt+arrows move the column`}
      onClick={onSort}
      onKeyDown={onKeyDown}
    >
      {label}
      {direction === "descending" && <IconArrowDown size={13} aria-hidden="true" />}
      {direction === "ascending" && <IconArrowUp size={13} aria-hidden="true" />}
    </button>
  );
}

/** Dragging a column onto another one: what the header of each takes as its properties. */
function useColumnDrag(onDrop: (dragged: string, onto: string) => void) {
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  const end = () => {
    setDragged(null);
    setOver(null);
  };
  return (id: string) => ({
    "data-over": (over === id && dragged !== id) || undefined,
    draggable: true,
    onDragStart: (event: DragEvent) => {
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", id);
      setDragged(id);
    },
    onDragOver: (event: DragEvent) => {
      if (dragged === null) return;
      event.preventDefault();
      setOver(id);
    },
    onDragEnd: end,
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      if (dragged !== null) onDrop(dragged, id);
      end();
    },
  });
}

type Direction = "ascending" | "descending";

function directionOf(column: Column, sort: string): Direction | undefined {
  if (column.sort === null) return undefined;
  if (sort === column.sort) return "ascending";
  return sort === `-${column.sort}` ? "descending" : undefined;
}
