import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";

import { send, serverNow } from "../../api/client";
import type { Backtest, MonitorBody } from "../../api/monitors";

const IDLE_MS = 700;
const EMPTY_MS = 15_000;

/** Only what decides when it fires. */
export function rulesOf(monitor: MonitorBody): Pick<MonitorBody, "type" | "query" | "options"> {
  return { type: monitor.type, query: monitor.query, options: { ...monitor.options, silenced: {} } };
}

/** Runs a monitor over the last hours, a moment after it was changed last. */
export function useBacktest(monitor: MonitorBody, hours: number): UseQueryResult<Backtest> {
  const [settled] = useDebouncedValue(JSON.stringify(rulesOf(monitor)), IDLE_MS);
  return useQuery<Backtest>({
    queryKey: ["backtest", settled, hours],
    queryFn: ({ signal }) => {
      const to = serverNow() - 1;
      return send("POST", "/monitors/backtest", { monitor: JSON.parse(settled) as unknown, from: to - hours * 3600, to }, signal);
    },
    placeholderData: keepPreviousData,
    retry: false,
    // What began to run a moment ago has a value when the next minute begins.
    refetchInterval: (query) => (query.state.data?.curves.length === 0 ? EMPTY_MS : false),
  });
}
