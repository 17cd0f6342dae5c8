/** The facets at the side: what there is, how much of it, and choosing or excluding it with one click. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { ApiError, get } from "../api/client";
import type { TagCompletion } from "../api/types";
import { useHasRows } from "../state/tableHasRows";
import { scopeOf } from "../state/scope";
import { useView } from "../state/useView";
import { Loading } from "../ui/parts/Loading";
import { ErrorMessage } from "../ui/parts/ErrorMessage";
import { AddFacet } from "./AddFacet";
import { addedKeys, ALWAYS_SHOWN, ENDING_KEYS, saveAddedKeys, keyOf, OPEN_BY_DEFAULT, DEFAULT_KEYS } from "./facetKeys";
import classes from "./FacetPanel.module.css";
import { FacetSection } from "./FacetSection";
import { useFacets } from "./useFacets";
import { useRecentMinutes } from "../state/useRecentMinutes";

export function FacetPanel() {
  const [view] = useView();
  const [added, setAdded] = useState(addedKeys);
  const [toggled, setToggled] = useState<ReadonlyMap<string, boolean>>(new Map());
  const there = useKeys();
  const filtered = new Set(view.tags.filter((tag) => tag.includes(":")).map(keyOf).filter((key) => key !== ""));
  const scope = scopeOf(view);
  const ofEndings = scope === "instant" ? [] : ENDING_KEYS.filter((key) => scope === "window" || key !== "ended");
  const keys = [...new Set([...ofEndings, ...DEFAULT_KEYS, ...added, ...filtered])];
  const isShown = (key: string) =>
    ofEndings.includes(key) || ALWAYS_SHOWN.has(key) || added.includes(key) || filtered.has(key) || there.has(key);
  const isOpen = (key: string) =>
    toggled.get(key) ?? (OPEN_BY_DEFAULT.has(key) || (scope === "ended" && ofEndings.includes(key)) || filtered.has(key) || added.includes(key));
  const shown = keys.filter(isShown);
  // Each key takes its time to count: only what is open is counted.
  const { facets, stale, isKnown, isPending, error, retry } = useFacets(shown.filter(isOpen));
  // Once they are there they stay, with what is typed into them, while they are counted by other keys.
  const [isCounted, setIsCounted] = useState(false);
  if (facets.size > 0 && !isCounted) setIsCounted(true);

  const change = (next: string[]) => {
    setAdded(next);
    saveAddedKeys(next);
  };

  if (facets.size === 0 && shown.some(isOpen) && (!isCounted || error)) {
    if (error instanceof ApiError && error.messages.some((one) => one.startsWith("Invalid query parameter search"))) {
      // The search bar and the table say what is wrong.
      return <p className={classes.nothing}>Counts return when the search is valid again.</p>;
    }
    return error ? <ErrorMessage error={error} onRetry={retry} /> : <Loading label="Counting" />;
  }
  return (
    <div className={classes.panel} aria-busy={isPending}>
      {shown.map((key) => (
        <FacetSection
          key={key}
          facetKey={key}
          facet={facets.get(key)}
          isStale={stale.has(key)}
          isKnown={isKnown}
          isOpen={isOpen(key)}
          onToggle={() => setToggled(new Map(toggled).set(key, !isOpen(key)))}
          onRemove={added.includes(key) ? () => change(added.filter((one) => one !== key)) : undefined}
        />
      ))}
      <AddFacet shown={shown} onAdd={(key) => change([...added, key])} />
    </div>
  );
}

/** The tag keys that there are in these minutes. */
function useKeys(): ReadonlySet<string> {
  const hasRows = useHasRows();
  const { from, to } = useRecentMinutes();
  const found = useQuery({
    queryKey: ["all-keys", to],
    queryFn: ({ signal }) => get<TagCompletion>("/tags", { limit: 1000, from, to }, signal),
    placeholderData: keepPreviousData,
    enabled: hasRows,
  });
  return useMemo(() => new Set(found.data?.keys.map(({ key }) => key)), [found.data]);
}
