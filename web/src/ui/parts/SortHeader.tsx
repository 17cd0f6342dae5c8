/** Headers of tables that the server sorts. */

import shared from "./parts.module.css";

type Direction = "ascending" | "descending" | "none";

/** How a column is sorted; none where another one is. */
export function directionOf(sort: string, column: string): Direction {
  return sort === column ? "ascending" : sort === `-${column}` ? "descending" : "none";
}

/** A click on a column: numbers and moments begin with the greatest, texts with the first; once more turns it round. */
export function nextSort(sort: string, column: string, isText: boolean): string {
  const direction = directionOf(sort, column);
  return direction === "descending" || (direction === "none" && isText) ? column : `-${column}`;
}

interface SortHeaderProps {
  label: string;
  /** What the server calls it; null where it does not sort by it. */
  column: string | null;
  isNumber?: boolean | undefined;
  /** Whether it begins with the first and not with the greatest. */
  isText?: boolean;
  sort: string;
  onSort: (sort: string) => void;
}

export function SortHeader({ label, column, isNumber = false, isText = !isNumber, sort, onSort }: SortHeaderProps) {
  const direction = column === null ? undefined : directionOf(sort, column);
  return (
    <th scope="col" className={isNumber ? shared.number : undefined} aria-sort={direction}>
      {column === null || direction === undefined ? (
        label
      ) : (
        <button type="button" className={shared.sort} onClick={() => onSort(nextSort(sort, column, isText))}>
          {label}
          <span aria-hidden="true">{{ ascending: " ↑", descending: " ↓", none: "" }[direction]}</span>
        </button>
      )}
    </th>
  );
}

export type HeadColumns = readonly (readonly [label: string, sort: string | null, isNumber?: boolean])[];

interface TableHeadProps {
  columns: HeadColumns;
  sort: string;
  onSort: (sort: string) => void;
}

export function TableHead({ columns, ...sorting }: TableHeadProps) {
  return (
    <thead>
      <tr>
        {columns.map(([label, column, isNumber]) => (
          <SortHeader
            key={label}
            label={label}
            column={column}
            isNumber={isNumber}
            isText={isNumber !== true && column !== "started_at"}
            {...sorting}
          />
        ))}
      </tr>
    </thead>
  );
}

/** The columns that sort. */
export function sortsOf(columns: HeadColumns): readonly string[] {
  return columns.flatMap(([, sort]) => (sort === null ? [] : [sort]));
}
