/** The facets at the side: what there is, how much of it, and choosing or excluding it with one click. */

import { Button, TextInput } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { IconPlus } from "@tabler/icons-react";
import { useId, useMemo, useState } from "react";

import { ApiError, get } from "../api/client";
import type { TagCompletion } from "../api/types";
import { formatShortCount } from "../ui/format/numbers";
import { Loading } from "../ui/parts/Loading";
import { Problem } from "../ui/parts/Problem";
import { useInstant } from "../state/instant";
import { useView } from "../state/useView";
import { useHasRows } from "../state/firstRows";
import { FacetSection } from "./FacetSection";
import classes from "./FacetPanel.module.css";
import { addedKeys, ALWAYS, keepAddedKeys, keyOf, OPEN_AT_FIRST, USUAL_KEYS } from "./facetKeys";
import { useFacets } from "./useFacets";

export function FacetPanel() {
  const [view] = useView();
  const [added, setAdded] = useState(addedKeys);
  const [toggled, setToggled] = useState<ReadonlyMap<string, boolean>>(new Map());
  const there = useKeys();
  const filtered = new Set(view.tags.filter((tag) => tag.includes(":")).map(keyOf));
  const keys = [...new Set([...USUAL_KEYS, ...added, ...filtered])];
  const isShown = (key: string) => ALWAYS.has(key) || added.includes(key) || filtered.has(key) || there.has(key);
  const isOpen = (key: string) =>
    toggled.get(key) ?? (OPEN_AT_FIRST.has(key) || filtered.has(key) || added.includes(key));
  const shown = keys.filter(isShown);
  // Each key takes its time to count: only what is open is counted.
  const { facets, isKnown, isPending, error, retry } = useFacets(shown.filter(isOpen));
  // Once they are there they stay, with what is typed into them, while they are counted by other keys.
  const [isCounted, setIsCounted] = useState(false);
  if (facets.size > 0 && !isCounted) setIsCounted(true);

  const change = (next: string[]) => {
    setAdded(next);
    keepAddedKeys(next);
  };

  if (facets.size === 0 && shown.some(isOpen) && (!isCounted || error)) {
    if (error instanceof ApiError && error.status === 400) {
      // What is wrong is said where the search is, and in the place of the processes.
      return <p className={classes.nothing}>Counts return when the search is valid again.</p>;
    }
    return error ? <Problem error={error} onRetry={retry} /> : <Loading label="Counting" />;
  }
  return (
    <div className={classes.panel} aria-busy={isPending}>
      {shown.map((key) => (
        <FacetSection
          key={key}
          facetKey={key}
          facet={facets.get(key)}
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
  const to = useMinute();
  const found = useQuery({
    queryKey: ["all-keys", to],
    queryFn: ({ signal }) => get<TagCompletion>("/tags", { limit: 1000, from: to - 960, to }, signal),
    placeholderData: keepPreviousData,
    enabled: hasRows,
  });
  return useMemo(() => new Set(found.data?.keys.map(({ key }) => key)), [found.data]);
}

/** The end of the minute of the instant: what is asked for it need not be asked again with each step. */
function useMinute(): number {
  const { at } = useInstant();
  return at - (at % 60) + 60;
}

function AddFacet({ shown, onAdd }: { shown: readonly string[]; onAdd: (key: string) => void }) {
  const [isOpen, setIsOpen] = useState(false);
  const [text, setText] = useState("");
  const listId = useId();
  const to = useMinute();
  const prefix = text.trim().toLowerCase();
  const found = useQuery({
    queryKey: ["tag-keys", prefix, to],
    queryFn: ({ signal }) => get<TagCompletion>("/tags", { prefix, limit: 30, from: to - 960, to }, signal),
    enabled: isOpen && !prefix.includes(":"),
  });
  const choices = (found.data?.keys ?? []).filter(({ key }) => !shown.includes(key));

  const add = (key: string) => {
    if (key && !key.includes(",")) onAdd(key);
    setText("");
    setIsOpen(false);
  };

  if (!isOpen) {
    return (
      <Button
        className={classes.add}
        size="xs"
        variant="subtle"
        leftSection={<IconPlus size={14} />}
        onClick={() => setIsOpen(true)}
      >
        Add a tag key
      </Button>
    );
  }
  return (
    <form
      className={classes.adding}
      onSubmit={(event) => {
        event.preventDefault();
        add(prefix.replace(/:.*/, ""));
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") setIsOpen(false);
      }}
    >
      <TextInput
        size="xs"
        label="Tag key"
        autoFocus
        autoComplete="off"
        aria-controls={listId}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <ul id={listId} className={classes.choices}>
        {choices.map(({ key, count }) => (
          <li key={key}>
            <button type="button" className={classes.choice} onClick={() => add(key)}>
              <span className={classes.name}>{key}</span>
              <span className={classes.count}>{formatShortCount(count)}</span>
            </button>
          </li>
        ))}
        {found.isSuccess && choices.length === 0 && <li className={classes.none}>No other key begins with that.</li>}
      </ul>
    </form>
  );
}
