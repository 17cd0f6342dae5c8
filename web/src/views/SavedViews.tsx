/** Views that the org has saved: open, save, overwrite, delete. */

import { ActionIcon, Alert, Button, Group, Popover, Stack, Text, TextInput } from "@mantine/core";
import { IconBookmarks, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";

import { get, send } from "../api/client";
import type { SavedView, Views } from "../api/types";
import { Moment } from "../ui/format/Moment";
import { brief } from "../ui/format/text";
import shared from "../ui/parts/parts.module.css";
import { Loading } from "../ui/parts/Loading";
import { Problem } from "../ui/parts/Problem";
import { goTo, useView } from "../state/useView";
import { formatView, parseView } from "../state/view";
import classes from "./views.module.css";

const KEY = ["views"];
const MAX_STATE = 8000;
const MAX_NAME = 100;

export function SavedViews() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Popover opened={isOpen} onChange={setIsOpen} width={340} position="bottom-end" trapFocus returnFocus shadow="md">
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconBookmarks size={15} aria-hidden="true" />}
          onClick={() => setIsOpen((before) => !before)}
        >
          Views
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Saved views">
        {isOpen && <Panel onDone={() => setIsOpen(false)} />}
      </Popover.Dropdown>
    </Popover>
  );
}

function Panel({ onDone }: { onDone: () => void }) {
  const views = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => get<Views>("/views", {}, signal),
    refetchOnWindowFocus: false,
  });
  if (views.isError) return <Problem error={views.error} onRetry={() => void views.refetch()} />;
  if (views.data === undefined) return <Loading label="Loading the saved views" />;
  return (
    <Stack gap="sm">
      <Saving views={views.data.views} />
      <Listing views={views.data.views} onDone={onDone} />
    </Stack>
  );
}

function Saving({ views }: { views: readonly SavedView[] }) {
  const [view] = useView();
  const [name, setName] = useState("");
  const [confirmed, setConfirmed] = useState<string | null>(null);
  const queries = useQueryClient();
  const state = formatView({ ...view, selected: null });
  const saving = useMutation({
    mutationFn: (as: string) => send<Views>("PUT", `/views/${encodeURIComponent(as)}`, { state }),
    onSuccess: (answer) => queries.setQueryData(KEY, answer),
  });
  const trimmed = name.trim();
  const isThere = views.some((one) => one.name === trimmed);
  const asksFirst = isThere && confirmed !== trimmed;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (trimmed === "" || state.length > MAX_STATE) return;
    if (asksFirst) {
      setConfirmed(trimmed);
      return;
    }
    saving.mutate(trimmed, { onSuccess: () => setName("") });
    setConfirmed(null);
  };
  return (
    <form onSubmit={submit}>
      <Group gap="xs" align="flex-end" wrap="nowrap">
        <TextInput
          className={shared.grow}
          size="xs"
          label="Save this view as"
          placeholder="Java in production"
          value={name}
          maxLength={MAX_NAME}
          autoFocus
          onChange={(event) => {
            setName(event.currentTarget.value);
            setConfirmed(null);
            saving.reset();
          }}
        />
        <Button
          size="xs"
          type="submit"
          color={isThere ? "red" : undefined}
          disabled={trimmed === "" || state.length > MAX_STATE}
          loading={saving.isPending}
        >
          {isThere ? "Overwrite" : "Save"}
        </Button>
      </Group>
      <div role="status" className={classes.message}>
        {confirmed === trimmed && isThere && trimmed !== "" && (
          <Text size="xs">There is a view of this name. Press Overwrite once more to replace it.</Text>
        )}
        {saving.isSuccess && trimmed === "" && <Text size="xs">Saved for everyone in the org.</Text>}
        {state.length > MAX_STATE && (
          <Text size="xs">This view is too long to be saved: shorten its search or its tags.</Text>
        )}
      </div>
      {saving.isError && (
        <Alert color="red" p="xs" mt="xs" role="alert">
          {saving.error.message}
        </Alert>
      )}
    </form>
  );
}

function Listing({ views, onDone }: { views: readonly SavedView[]; onDone: () => void }) {
  const [sought, setSought] = useState("");
  if (views.length === 0) {
    return (
      <Text size="sm" c="var(--ink-quiet)">
        No view is saved yet. Search, filter and choose columns, then save them here under a name.
      </Text>
    );
  }
  const folded = sought.toLowerCase();
  const found = views.filter((view) => view.name.toLowerCase().includes(folded));
  return (
    <>
      {views.length > 8 && (
        <TextInput
          size="xs"
          aria-label="Find a view"
          placeholder="Find a view"
          value={sought}
          onChange={(event) => setSought(event.currentTarget.value)}
        />
      )}
      <ul className={classes.list} aria-label="Saved views">
        {found.map((view) => (
          <Row key={view.name} view={view} onDone={onDone} />
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

function Row({ view, onDone }: { view: SavedView; onDone: () => void }) {
  const [isAsking, setIsAsking] = useState(false);
  const queries = useQueryClient();
  const deleting = useMutation({
    mutationFn: () => send<Views>("DELETE", `/views/${encodeURIComponent(view.name)}`),
    onSuccess: (answer) => queries.setQueryData(KEY, answer),
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
