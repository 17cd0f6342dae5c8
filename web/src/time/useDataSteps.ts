import { useMemo } from "react";

import type { Trends, Turnover } from "../api/types";
import { windowParams } from "../state/instant";
import { useHasRows } from "../state/tableHasRows";
import { useView } from "../state/useView";
import { useApiQuery } from "../ui/parts/useApiQuery";
import { dataSteps, type DataStep } from "./dataSteps";

/** Of an hour each is a minute. */
const POINTS = 60;
/** Longer windows are not counted. */
const MAX_SECONDS = 7 * 86_400;

/** How many processes of the search there were over a stretch of time, began and ended; null where that is not known
 * yet, or too long. */
export function useDataSteps(from: number, to: number, isSettled: boolean): DataStep[] | null {
  const [view] = useView();
  // It takes longer than a page of the table, and would take the processor from it.
  const hasRows = useHasRows() || view.tab !== "table";
  const isShort = to - from <= MAX_SECONDS;
  const isEnabled = isShort && isSettled && hasRows;
  const params = { ...windowParams(view, { window: { from, to } }), points: POINTS };
  const { data: counts } = useApiQuery<Trends>("/trends", { ...params, measures: "cpu_total_percent" }, { isEnabled });
  // What compares numbers finds nothing that has begun or ended, which have none: only single instants are known then.
  const hasTurnover = isEnabled && (view.search === "" || counts?.meta.instants === false);
  const { data: turnover } = useApiQuery<Turnover>("/turnover", params, { isEnabled: hasTurnover });
  return useMemo(
    () => (counts === undefined || !isShort ? null : dataSteps(counts, turnover)),
    [counts, turnover, isShort],
  );
}
