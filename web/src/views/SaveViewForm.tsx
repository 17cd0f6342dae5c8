import { Alert, Button, Group, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";

import { send } from "../api/client";
import type { SavedView, Views } from "../api/types";
import { useView } from "../state/useView";
import { formatView } from "../state/view";
import shared from "../ui/parts/parts.module.css";
import { SAVED_VIEWS } from "./savedViewsKey";
import classes from "./views.module.css";

const MAX_STATE = 8000;
const MAX_NAME = 100;

/** Saves the current view under a name; asks once more before it overwrites one. */
export function SaveViewForm({ views }: { views: readonly SavedView[] }) {
  const [view] = useView();
  const [name, setName] = useState("");
  const [confirmed, setConfirmed] = useState<string | null>(null);
  const state = formatView({ ...view, selected: null });
  const isTooLong = state.length > MAX_STATE;
  const saving = useSaving(state);
  const trimmed = name.trim();
  const isThere = views.some((one) => one.name === trimmed);
  const rename = (text: string) => {
    setName(text);
    setConfirmed(null);
    saving.reset();
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (trimmed === "" || isTooLong) return;
    const asksFirst = isThere && confirmed !== trimmed;
    setConfirmed(asksFirst ? trimmed : null);
    if (!asksFirst) saving.mutate(trimmed, { onSuccess: () => setName("") });
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
          onChange={(event) => rename(event.currentTarget.value)}
        />
        <Button
          size="xs"
          type="submit"
          color={isThere ? "red" : undefined}
          disabled={trimmed === "" || isTooLong}
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
        {isTooLong && <Text size="xs">This view is too long to be saved: shorten its search or its tags.</Text>}
      </div>
      {saving.isError && (
        <Alert color="red" p="xs" mt="xs" role="alert">
          {saving.error.message}
        </Alert>
      )}
    </form>
  );
}

function useSaving(state: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => send<Views>("PUT", `/views/${encodeURIComponent(name)}`, { state }),
    onSuccess: (answer) => queries.setQueryData(SAVED_VIEWS, answer),
  });
}
