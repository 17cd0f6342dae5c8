/** The facets at the side: what there is, how much of it, and choosing or excluding it with one click. */

import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconPlus } from "@tabler/icons-react";
import { useId, useState } from "react";

import { get } from "../api/client";
import type { TagCompletion } from "../api/types";
import { formatShortCount } from "../format/numbers";
import { Loading } from "../shell/Loading";
import { Problem } from "../shell/Problem";
import { useInstant } from "../state/instant";
import { useView } from "../state/useView";
import { FacetGroup } from "./FacetGroup";
import classes from "./FacetPanel.module.css";
import { addedKeys, ALWAYS, keepAddedKeys, keyOf, USUAL_KEYS } from "./keys";
import { useFacets } from "./useFacets";

export function FacetPanel() {
  const [view] = useView();
  const [added, setAdded] = useState(addedKeys);
  const keys = [...new Set([...USUAL_KEYS, ...added, ...view.tags.filter((tag) => tag.includes(":")).map(keyOf)])];
  const { facets, isPending, error, retry } = useFacets(keys);

  const change = (next: string[]) => {
    setAdded(next);
    keepAddedKeys(next);
  };

  if (facets.size === 0) {
    return error ? <Problem error={error} onRetry={retry} /> : <Loading label="Counting" />;
  }
  const filtered = new Set(view.tags.map(keyOf));
  const shown = keys.filter(
    (key) => ALWAYS.has(key) || added.includes(key) || filtered.has(key) || (facets.get(key)?.processes ?? 0) > 0,
  );
  return (
    <div className={classes.panel} aria-busy={isPending}>
      {shown.map((key) => (
        <FacetGroup
          key={key}
          facetKey={key}
          facet={facets.get(key)}
          onRemove={added.includes(key) ? () => change(added.filter((one) => one !== key)) : undefined}
        />
      ))}
      <AddFacet shown={shown} onAdd={(key) => change([...added, key])} />
    </div>
  );
}

function AddFacet({ shown, onAdd }: { shown: readonly string[]; onAdd: (key: string) => void }) {
  const [isOpen, setIsOpen] = useState(false);
  const [text, setText] = useState("");
  const { at } = useInstant();
  const listId = useId();
  const to = at - (at % 60) + 60;
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
        {found.isSuccess && choices.length === 0 && <li className={classes.none}>No other key begins so.</li>}
      </ul>
    </form>
  );
}
