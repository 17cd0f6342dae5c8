import { useMemo } from "react";

import type { Timeseries } from "../api/types";
import { windowParams } from "../state/instant";
import { useView } from "../state/useView";
import { useApiQuery } from "../ui/parts/useApiQuery";
import { dataSteps, type DataStep } from "./dataSteps";

const POINTS = 120;
/** Longer windows are not counted. */
const MAX_SECONDS = 7 * 86_400;

/** How many processes of the search there were over a stretch of time; null where that is not known yet, or too long. */
export function useDataSteps(from: number, to: number): DataStep[] | null {
  const [view] = useView();
  const params = { ...windowParams(view, { window: { from, to } }), points: POINTS, measures: "cpu_total_percent" };
  const { data } = useApiQuery<Timeseries>("/timeseries", params, { isEnabled: to - from <= MAX_SECONDS });
  return useMemo(() => (data === undefined || to - from > MAX_SECONDS ? null : dataSteps(data)), [data, from, to]);
}
