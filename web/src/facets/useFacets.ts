/** How many processes have which values of which tags. */

import { keepPreviousData, useQueries, type UseQueryResult } from "@tanstack/react-query";

import { get, type Params } from "../api/client";
import type { Facet, Facets } from "../api/types";
import { useHasRows } from "../state/tableHasRows";
import { useInstant } from "../state/instant";
import { countParams } from "../state/scope";
import { useView } from "../state/useView";
import { keyOf } from "./facetKeys";

export const TOP_VALUES = 8;
/** While the view is live, so that a value that is no longer among the first keeps its place and its count. */
const LIVE_VALUES = 40;
/** What the API counts in one call. */
const KEYS_PER_CALL = 20;

export interface CountedFacets {
  facets: Map<string, Facet>;
  /** Keys whose counts are those of the question before. */
  stale: ReadonlySet<string>;
  /** Whether anything is known of the time. */
  isKnown: boolean;
  isPending: boolean;
  error: Error | null;
  retry: () => void;
}

/** Counts by these keys. Of a key that is filtered by itself, the other values are counted too: they are what one may
 * want instead. So such a key is counted in a call of its own, without its terms. */
export function useFacets(keys: readonly string[]): CountedFacets {
  const [view] = useView();
  const instant = useInstant();
  // Counting takes longer than a page of the table, and would take the processor from it.
  const hasRows = useHasRows() || view.tab !== "table";
  const filtered = new Set(view.tags.map(keyOf));
  const plain = keys.filter((key) => !filtered.has(key));
  const calls: { keys: string[]; params: Params }[] = [];
  for (let from = 0; from < plain.length; from += KEYS_PER_CALL) {
    calls.push({ keys: plain.slice(from, from + KEYS_PER_CALL), params: countParams(view, instant) });
  }
  for (const key of keys.filter((one) => filtered.has(one))) {
    const tags = view.tags.filter((term) => keyOf(term) !== key);
    calls.push({ keys: [key], params: countParams({ ...view, tags }, instant) });
  }
  const limit = instant.isLive ? LIVE_VALUES : TOP_VALUES;
  return useQueries({
    queries: calls.map(({ keys: asked, params }) => ({
      queryKey: ["facets", asked, params, limit] as const,
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        get<Facets>("/facets", { ...params, keys: asked.join(","), limit }, signal),
      enabled: hasRows,
      placeholderData: keepPreviousData,
    })),
    combine: combined,
  });
}

function combined(results: UseQueryResult<Facets>[]): CountedFacets {
  return {
    facets: new Map(results.flatMap(({ data }) => data?.facets ?? []).map((facet) => [facet.key, facet])),
    stale: new Set(
      results.flatMap(({ data, isPlaceholderData }) => (isPlaceholderData ? data.facets.map(({ key }) => key) : [])),
    ),
    isKnown: results.every(({ data }) => data?.meta.known ?? true),
    isPending: results.some(({ isFetching }) => isFetching),
    error: results.find(({ error }) => error)?.error ?? null,
    retry: () => results.forEach(({ refetch }) => void refetch()),
  };
}
