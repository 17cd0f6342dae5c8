import { memo } from "react";

import type { ProcessItem } from "../api/types";
import { addressOf } from "../state/useView";
import type { Column } from "./columns/columns";
import classes from "./ProcessTable.module.css";

const MIDDLE = 1;

/** The same view with the panel of this process, in a tab of its own. */
function openTab(id: string): void {
  window.open(addressOf({ selected: id }), "_blank", "noopener");
}

interface ProcessRowProps {
  index: number;
  top: number;
  /** undefined while it is fetched. */
  process: ProcessItem | undefined;
  columns: readonly Column[];
  isActive: boolean;
  isSelected: boolean;
  onActivate: (index: number) => void;
  onOpen: (id: string) => void;
}

/** One row. Plain elements only: forty of them are drawn anew with each step of the wheel. */
export const ProcessRow = memo(function ProcessRow(props: ProcessRowProps) {
  const { index, top, process, columns, isActive, isSelected, onActivate, onOpen } = props;
  return (
    <div
      role="row"
      id={`row-${index}`}
      // The header is the first one.
      aria-rowindex={index + 2}
      aria-selected={isActive}
      className={classes.row}
      data-active={isActive || undefined}
      data-selected={isSelected || undefined}
      data-ended={process?.attributes.ended ? true : undefined}
      style={{ transform: `translateY(${top}px)` }}
      onClick={(event) => {
        // Who selects text does not want to open what it stands in.
        if (window.getSelection()?.isCollapsed === false) return;
        onActivate(index);
        if (process === undefined) return;
        if (event.ctrlKey || event.metaKey) openTab(process.id);
        else onOpen(process.id);
      }}
      onMouseDown={(event) => {
        // Else the browser would begin to scroll by itself.
        if (event.button === MIDDLE) event.preventDefault();
      }}
      onAuxClick={(event) => {
        if (event.button === MIDDLE && process) openTab(process.id);
      }}
    >
      {process ? (
        columns.map((column) => (
          <div
            key={column.id}
            role="gridcell"
            className={`${column.isNumber ? classes.number : classes.cell} ${column.isFrozen ? classes.frozen : ""}`}
            title={column.title?.(process)}
          >
            {column.cell(process)}
          </div>
        ))
      ) : (
        // One cell only: fast scrolling draws nothing but these, and each cell costs time.
        <div role="gridcell" aria-colspan={columns.length} className={classes.waiting} data-waiting />
      )}
    </div>
  );
});
