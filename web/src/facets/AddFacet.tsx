import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconPlus } from "@tabler/icons-react";
import { useId, useState } from "react";

import { get } from "../api/client";
import type { TagCompletion } from "../api/types";
import { formatShortCount } from "../ui/format/numbers";
import classes from "./FacetPanel.module.css";
import { useRecentMinutes } from "../state/useRecentMinutes";

/** A button, and behind it the choice of a tag key that is not shown yet. */
export function AddFacet({ shown, onAdd }: { shown: readonly string[]; onAdd: (key: string) => void }) {
  const [isOpen, setIsOpen] = useState(false);
  const [text, setText] = useState("");
  const listId = useId();
  const prefix = text.trim().toLowerCase();

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
      <KeyChoices id={listId} prefix={prefix} shown={shown} onChoose={add} />
    </form>
  );
}

interface KeyChoicesProps {
  id: string;
  prefix: string;
  shown: readonly string[];
  onChoose: (key: string) => void;
}

/** The keys that begin with what was typed. */
function KeyChoices({ id, prefix, shown, onChoose }: KeyChoicesProps) {
  const { from, to } = useRecentMinutes();
  const found = useQuery({
    queryKey: ["tag-keys", prefix, to],
    queryFn: ({ signal }) => get<TagCompletion>("/tags", { prefix, limit: 30, from, to }, signal),
    enabled: !prefix.includes(":"),
  });
  const choices = (found.data?.keys ?? []).filter(({ key }) => !shown.includes(key));
  return (
    <ul id={id} className={classes.choices}>
      {choices.map(({ key, count }) => (
        <li key={key}>
          <button type="button" className={classes.choice} onClick={() => onChoose(key)}>
            <span className={classes.name}>{key}</span>
            <span className={classes.count}>{formatShortCount(count)}</span>
          </button>
        </li>
      ))}
      {found.isSuccess && choices.length === 0 && <li className={classes.none}>No other key begins with that.</li>}
    </ul>
  );
}
