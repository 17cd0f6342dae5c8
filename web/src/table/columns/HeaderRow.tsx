import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useState, type DragEvent, type KeyboardEvent } from "react";

import { isOfEnding, sortOf, type Scope } from "../../state/scope";
import { useView } from "../../state/useView";
import { ColumnResizer } from "./ColumnResizer";
import { moved, nextSort, type Column } from "./columns";
import classes from "./columns.module.css";
import type { ColumnWidths } from "./useColumnWidths";

const RESIZE_STEP = 16;

interface HeaderRowProps extends Pick<ColumnWidths, "resize" | "reset"> {
  columns: readonly Column[];
  scope: Scope;
}

/** The names of the columns: a click sorts, dragging moves, and so do Alt and the arrows. Shift and the arrows make a column
 * wider or narrower, and so does dragging the line at its end. */
export function HeaderRow({ columns, scope, resize, reset }: HeaderRowProps) {
  const [view, patch] = useView();
  const ids = columns.map(({ id }) => id);

  const drag = useColumnDrag((dragged, onto) => patch({ columns: moved(ids, dragged, ids.indexOf(onto)) }, "replace"));

  const sort = sortOf(view);
  const sortBy = (column: Column) => patch({ sort: nextSort(column, sort) });

  const onKeyDown = (event: KeyboardEvent, column: Column) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || event.altKey === event.shiftKey) return;
    // Alt and an arrow is the back button, too.
    event.preventDefault();
    if (event.shiftKey) {
      const width = event.currentTarget.parentElement?.getBoundingClientRect().width ?? column.width;
      resize(column.id, width + step * RESIZE_STEP, true);
      return;
    }
    patch({ columns: moved(ids, column.id, ids.indexOf(column.id) + step) }, "replace");
  };

  return (
    <div role="rowgroup" className={classes.header}>
      <div role="row" aria-rowindex={1} className={classes.headerRow}>
        {columns.map((all) => {
          const column = scope === "instant" && isOfEnding(all.sort ?? "") ? { ...all, sort: null } : all;
          const direction = directionOf(column, sort);
          return (
            <div
              key={column.id}
              role="columnheader"
              aria-sort={direction ?? (column.sort === null ? undefined : "none")}
              className={`${column.isNumber ? classes.numberHeader : classes.columnHeader} ${column.isFrozen ? classes.frozen : ""}`}
              {...drag(column.id)}
            >
              <HeaderButton
                column={column}
                direction={direction}
                onSort={() => sortBy(column)}
                onKeyDown={(event) => onKeyDown(event, column)}
              />
              <ColumnResizer
                onResize={(width, isDone) => resize(column.id, width, isDone)}
                onReset={() => reset(column.id)}
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
        title={`${label}. Alt+arrows move the column, Shift+arrows change its width`}
        onKeyDown={onKeyDown}
      >
        {label}
      </button>
    );
  }
  return (
    <button
      type="button"
      title={`Sort by ${label.toLowerCase()}. Alt+arrows move the column, Shift+arrows change its width`}
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
