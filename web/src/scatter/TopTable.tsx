import { useState } from "react";

import type { Points } from "../api/types";
import { formatMeasure, measureOf } from "../ui/format/measures";
import { brief } from "../ui/format/text";
import shared from "../ui/parts/parts.module.css";
import classes from "./scatter.module.css";

const ROWS = 20;

/** The points with the greatest value of one measure, as a table: for readers who use no pointer. */
export function TopTable({ found, onOpen }: { found: Points; onOpen: (id: string) => void }) {
  const [axis, setAxis] = useState<"x" | "y">("x");
  const { id, x, y, group } = found.points;
  const values = found.points[axis];
  const order = id
    .map((_, point) => point)
    .sort((one, other) => (values[other] ?? 0) - (values[one] ?? 0))
    .slice(0, ROWS);
  const [xInfo, yInfo] = [measureOf(found.meta.x), measureOf(found.meta.y)];
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
      <summary>The {Math.min(ROWS, id.length)} greatest, as a table</summary>
      <div className={shared.tableBox}>
        <table className={shared.table}>
          <thead>
            <tr>
              <th scope="col">{brief(found.meta.by ?? "")}</th>
              {header("x", xInfo.label)}
              {header("y", yInfo.label)}
            </tr>
          </thead>
          <tbody>
            {order.map((point) => {
              const at = group[point] ?? null;
              const name = at === null ? `without ${brief(found.meta.by ?? "a group")}` : (found.groups[at] ?? "");
              return (
                <tr key={id[point]}>
                  <td>
                    <button
                      type="button"
                      className={`${shared.link} ${shared.text}`}
                      onClick={() => onOpen(id[point] ?? "")}
                    >
                      <bdi>{name === "" ? "empty" : brief(name)}</bdi>
                    </button>
                  </td>
                  <td className={shared.number}>{formatMeasure(x[point], xInfo.unit)}</td>
                  <td className={shared.number}>{formatMeasure(y[point], yInfo.unit)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}
