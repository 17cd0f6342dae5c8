/** One call of the API. It follows the view, and waits for each answer before it asks again. */

import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";

import { ApiError, get, type Params } from "../../api/client";

const MOMENTS = new Set(["at", "other_at", "from", "to"]);
const MAX_TRIES = 2;

function queryKeyOf(path: string, params: Params): string {
  return JSON.stringify([path, Object.entries(params).filter(([name]) => !MOMENTS.has(name))]);
}

interface Options {
  /** Whether the moments move by themselves: then they wait for the answer that is on its way. */
  isMoving?: boolean;
  isEnabled?: boolean;
}

export function useApiQuery<T>(path: string, params: Params, options: Options = {}): UseQueryResult<T> {
  const { isMoving = false, isEnabled = true } = options;
  const [held, hold] = useState({ path, params });
  const isSame = JSON.stringify([held.path, held.params]) === JSON.stringify([path, params]);
  const query = useQuery<T>({
    queryKey: ["answer", held.path, held.params],
    queryFn: ({ signal }) => get<T>(held.path, held.params, signal),
    placeholderData: keepPreviousData,
    enabled: isEnabled,
    staleTime: Infinity,
    gcTime: isMoving ? 10_000 : 120_000,
    refetchOnWindowFocus: false,
    retry: (tries, error) => isTemporary(error) && tries < MAX_TRIES,
  });
  const isWaiting = isMoving && query.isFetching && queryKeyOf(held.path, held.params) === queryKeyOf(path, params);
  if (!isSame && !isWaiting) hold({ path, params });
  return query;
}

/** Whether the same call may be answered a moment later. */
function isTemporary(error: Error): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 503);
}
