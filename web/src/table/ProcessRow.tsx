import { memo } from "react";

import type { ProcessItem } from "../api/types";
import type { Column } from "./columns/columns";
import classes from "./ProcessTable.module.css";

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
      onClick={() => {
        onActivate(index);
        if (process) onOpen(process.id);
      }}
    >
      {process ? (
        columns.map((column) => (
          <div
            key={column.id}
            role="gridcell"
            className={column.isNumber ? classes.number : classes.cell}
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
