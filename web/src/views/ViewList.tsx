import { ActionIcon, Button, Text, TextInput } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { send } from "../api/client";
import type { SavedView, Views } from "../api/types";
import { goTo } from "../state/useView";
import { parseView } from "../state/view";
import { Moment } from "../ui/format/Moment";
import { brief } from "../ui/format/text";
import shared from "../ui/parts/parts.module.css";
import { SAVED_VIEWS } from "./savedViewsKey";
import classes from "./views.module.css";

/** The saved views: a click opens one, the bin deletes it once that is confirmed. */
export function ViewList({ views, onDone }: { views: readonly SavedView[]; onDone: () => void }) {
  const [filter, setFilter] = useState("");
  if (views.length === 0) {
    return (
      <Text size="sm" c="var(--ink-quiet)">
        No view is saved yet. Search, filter and choose columns, then save them here under a name.
      </Text>
    );
  }
  const folded = filter.toLowerCase();
  const found = views.filter((view) => view.name.toLowerCase().includes(folded));
  return (
    <>
      {views.length > 8 && (
        <TextInput
          size="xs"
          aria-label="Find a view"
          placeholder="Find a view"
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
        />
      )}
      <ul className={classes.list} aria-label="Saved views">
        {found.map((view) => (
          <ViewRow key={view.name} view={view} onDone={onDone} />
        ))}
      </ul>
      {found.length === 0 && (
        <Text size="sm" c="var(--ink-quiet)">
          No view has that name.
        </Text>
      )}
    </>
  );
}

function ViewRow({ view, onDone }: { view: SavedView; onDone: () => void }) {
  const [isAsking, setIsAsking] = useState(false);
  const queries = useQueryClient();
  const deleting = useMutation({
    mutationFn: () => send<Views>("DELETE", `/views/${encodeURIComponent(view.name)}`),
    onSuccess: (answer) => queries.setQueryData(SAVED_VIEWS, answer),
  });
  if (isAsking) {
    return (
      <li className={classes.row}>
        <span className={shared.grow}>
          <Text size="sm" className={classes.name}>
            Delete <bdi>{brief(view.name)}</bdi>?
          </Text>
          {deleting.isError && (
            <Text size="xs" role="alert">
              {deleting.error.message}
            </Text>
          )}
        </span>
        <Button size="compact-xs" color="red" loading={deleting.isPending} onClick={() => deleting.mutate()} autoFocus>
          Delete
        </Button>
        <Button size="compact-xs" variant="default" onClick={() => setIsAsking(false)}>
          Keep
        </Button>
      </li>
    );
  }
  return (
    <li className={classes.row}>
      <button
        type="button"
        className={`${classes.open} ${shared.grow}`}
        onClick={() => {
          goTo(parseView(view.state));
          onDone();
        }}
      >
        <bdi className={classes.name}>{view.name}</bdi>
        <span className={classes.changed}>
          <Moment seconds={view.changed_at} />
        </span>
      </button>
      <ActionIcon variant="subtle" color="gray" aria-label={`Delete ${view.name}`} onClick={() => setIsAsking(true)}>
        <IconTrash size={15} aria-hidden="true" />
      </ActionIcon>
    </li>
  );
}
