/** What the server knows of monitors: asked again every few seconds while somebody looks, and after each change. */

import { keepPreviousData, useMutation, useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";

import { get, type Params } from "../../api/client";
import type { Monitor, QueryParts, Scopes, Session } from "../../api/monitors";

const MONITORS = "monitors";
const REFRESH_MS = 10_000;

export function useMonitorApi<T>(path: string, params: Params = {}, isEnabled = true): UseQueryResult<T> {
  return useQuery<T>({
    queryKey: [MONITORS, path, params],
    queryFn: ({ signal }) => get<T>(path, params, signal),
    enabled: isEnabled,
    placeholderData: keepPreviousData,
    staleTime: 0,
    refetchInterval: REFRESH_MS,
  });
}

export function useMonitors(): UseQueryResult<Monitor[]> {
  return useMonitorApi<Monitor[]>("/api/v1/monitor");
}

export function useMonitor(id: number): UseQueryResult<Monitor> {
  return useMonitorApi<Monitor>(`/api/v1/monitor/${id}`);
}

/** The parts of a query, as the server reads them. */
export function useQueryParts(query: string | undefined): UseQueryResult<QueryParts> {
  return useQuery<QueryParts>({
    queryKey: ["monitor-query", query],
    queryFn: ({ signal }) => get<QueryParts>("/monitors/query", { query: query ?? "" }, signal),
    enabled: query !== undefined,
  });
}

/** Does something to monitors or channels, and asks anew for all that is shown of them. */
export function useChange<Input, Result>(change: (input: Input) => Promise<Result>, onDone?: (result: Result) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: async (result) => {
      onDone?.(result);
      await queries.invalidateQueries({ queryKey: [MONITORS] });
    },
  });
}

/** What the key of the session may do; null until that is known. */
export function useScopes(): ReadonlySet<string> | null {
  const session = useQuery({
    queryKey: ["session"],
    queryFn: ({ signal }) => get<Session>("/session", {}, signal),
  });
  return session.data === undefined ? null : new Set(session.data.scopes);
}

export function useMay(scope: Scopes): boolean {
  return useScopes()?.has(scope) ?? false;
}
