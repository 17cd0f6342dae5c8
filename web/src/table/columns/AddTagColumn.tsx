import { Autocomplete, Button } from "@mantine/core";
import { useState } from "react";

import type { TagCompletion } from "../../api/types";
import { useRecentMinutes } from "../../state/useRecentMinutes";
import { useApiQuery } from "../../ui/parts/useApiQuery";
import { tagColumnId } from "./columns";
import classes from "./columns.module.css";

/** A column for any tag key: one of those that there are, or another one. */
export function AddTagColumn({ shown, onAdd }: { shown: readonly string[]; onAdd: (id: string) => void }) {
  const [text, setText] = useState("");
  const { from, to } = useRecentMinutes();
  const keys = useApiQuery<TagCompletion>("/tags", { limit: 1000, from, to });
  const id = tagColumnId(text);
  const canAdd = text.trim() !== "" && !text.includes(",") && !shown.includes(id);
  return (
    <form
      className={classes.addTag}
      onSubmit={(event) => {
        event.preventDefault();
        if (!canAdd) return;
        onAdd(id);
        setText("");
      }}
    >
      <Autocomplete
        size="xs"
        label="Column for a tag"
        placeholder="Tag key"
        value={text}
        onChange={setText}
        data={(keys.data?.keys ?? []).map(({ key }) => key).filter((key) => !shown.includes(tagColumnId(key)))}
        limit={50}
        maxLength={200}
        comboboxProps={{ withinPortal: false }}
        spellCheck={false}
      />
      <Button type="submit" size="xs" variant="default" aria-disabled={!canAdd} data-disabled={!canAdd || undefined}>
        Add
      </Button>
    </form>
  );
}
