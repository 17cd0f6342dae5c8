import { useState } from "react";

import { formatMeasure } from "../ui/format/measures";
import { brief } from "../ui/format/text";
import shared from "../ui/parts/parts.module.css";
import type { Dots } from "./dots";
import classes from "./scatter.module.css";

const ROWS = 20;

interface TopTableProps {
  dots: Dots;
  by: string;
  /** What a dot is called, null for what has no value. */
  nameOf: (dot: number) => string | null;
  onOpen: (dot: number) => void;
}

/** The dots with the greatest value of one measure, as a table: for readers who use no pointer. */
export function TopTable({ dots, by, nameOf, onOpen }: TopTableProps) {
  const [axis, setAxis] = useState<"x" | "y">("x");
  const { x, y, xAxis, yAxis } = dots;
  const values = dots[axis];
  const order = values
    .map((_, dot) => dot)
    .sort((one, other) => (values[other] ?? 0) - (values[one] ?? 0))
    .slice(0, ROWS);
  const header = (of: "x" | "y", label: string) => (
    <th scope="col" className={shared.number} aria-sort={axis === of ? "descending" : "none"}>
      <button type="button" className={shared.link} onClick={() => setAxis(of)}>
        {label}
        <span aria-hidden="true">{axis === of ? " ↓" : ""}</span>
      </button>
    </th>
  );
  return (
    <details className={classes.details}>
      <summary>The {Math.min(ROWS, x.length)} greatest, as a table</summary>
      <div className={shared.tableBox}>
        <table className={shared.table}>
          <thead>
            <tr>
              <th scope="col">{brief(by)}</th>
              {header("x", xAxis.label)}
              {header("y", yAxis.label)}
            </tr>
          </thead>
          <tbody>
            {order.map((dot) => {
              const name = nameOf(dot);
              return (
                <tr key={dot}>
                  <td>
                    <button type="button" className={`${shared.link} ${shared.text}`} onClick={() => onOpen(dot)}>
                      <bdi>{name === null ? `without ${brief(by || "a group")}` : name === "" ? "empty" : brief(name)}</bdi>
                    </button>
                  </td>
                  <td className={shared.number}>{formatMeasure(x[dot], xAxis.unit)}</td>
                  <td className={shared.number}>{formatMeasure(y[dot], yAxis.unit)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}
