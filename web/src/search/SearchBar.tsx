/** The search: one line in the API's own grammar, completed as one types, with errors where they are. */

import { ActionIcon, Paper } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { IconSearch, IconX } from "@tabler/icons-react";
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";

import { get } from "../api/client";
import type { TagCompletion } from "../api/types";
import { formatShortCount } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import { useInstant } from "../state/instant";
import { useView } from "../state/useView";
import { isEditable } from "../ui/parts/isEditable";
import { complete, wordAt, type Word } from "./completion";
import { useSearchHints } from "./searchHints";
import { useSearchProblem } from "./searchProblem";
import classes from "./SearchBar.module.css";

/** After the last key stroke. */
const IDLE_MS = 450;
const COMPLETIONS = 12;

interface Option {
  key: string;
  value?: string;
  count: number;
}

export function SearchBar() {
  const [view, patch] = useView();
  const [draft, setDraft] = useState(view.search);
  const [shown, setShown] = useState(view.search);
  const [word, setWord] = useState<Word | null>(null);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const isTyping = useRef(false);
  const timer = useRef<number | undefined>(undefined);
  const listId = useId();
  const problemId = useId();
  const problem = useSearchProblem(view.search);
  const hints = useSearchHints(view.search, view.tags);
  const options = useOptions(word);

  // The view may come from elsewhere: the back button, a click on a tag, a saved view.
  if (shown !== view.search) {
    setShown(view.search);
    setDraft(view.search);
  }

  const commit = (search: string) => {
    window.clearTimeout(timer.current);
    const text = search.trim() === "" ? "" : search;
    setShown(text);
    // One step back is one search, not one letter.
    patch({ search: text }, isTyping.current ? "replace" : "push");
    isTyping.current = true;
  };

  const change = (search: string, caret: number | null) => {
    setDraft(search);
    setActive(-1);
    setWord(wordAt(search, caret ?? search.length));
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => commit(search), IDLE_MS);
  };

  const choose = (option: Option) => {
    if (!word) return;
    const next = complete(draft, word, option.key, option.value);
    change(next.search, next.caret);
    requestAnimationFrame(() => input.current?.setSelectionRange(next.caret, next.caret));
  };

  const close = () => {
    setWord(null);
    setActive(-1);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!word) setWord(wordAt(draft, input.current?.selectionStart ?? draft.length));
      if (options.length === 0) return;
      const step = event.key === "ArrowDown" ? 1 : -1;
      setActive((active + step + options.length + (active < 0 && step < 0 ? 1 : 0)) % options.length);
    } else if (event.key === "Enter" || (event.key === "Tab" && active >= 0)) {
      const option = options[active];
      event.preventDefault();
      if (option) choose(option);
      else {
        close();
        commit(draft);
        isTyping.current = false;
      }
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (word && options.length > 0) close();
      else if (draft !== view.search) setDraft(view.search);
      else input.current?.blur();
    }
  };

  useEffect(() => {
    const focus = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isEditable(event.target)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    window.addEventListener("keydown", focus);
    return () => window.removeEventListener("keydown", focus);
  }, []);

  const isOpen = word !== null && options.length > 0;
  const showsProblem = problem !== null && draft === view.search;
  return (
    <div className={classes.bar} role="search">
      <IconSearch size={16} className={classes.icon} aria-hidden="true" />
      <input
        ref={input}
        className={classes.input}
        type="text"
        role="combobox"
        aria-label="Search processes"
        aria-expanded={isOpen}
        aria-controls={isOpen ? listId : undefined}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && active >= 0 ? `${listId}-${active}` : undefined}
        aria-invalid={showsProblem}
        aria-describedby={showsProblem ? problemId : undefined}
        placeholder="Search commands, paths, users, tags:  java env:prod !user:root"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={draft}
        onChange={(event) => change(event.currentTarget.value, event.currentTarget.selectionStart)}
        onKeyDown={onKeyDown}
        onFocus={() => (isTyping.current = false)}
        onBlur={() => {
          close();
          if (draft !== view.search) commit(draft);
        }}
      />
      {draft === "" ? (
        <kbd className={classes.key} aria-hidden="true">
          /
        </kbd>
      ) : (
        <ActionIcon
          size="sm"
          variant="subtle"
          color="gray"
          aria-label="Clear the search"
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => {
            isTyping.current = false;
            setDraft("");
            close();
            commit("");
            input.current?.focus();
          }}
        >
          <IconX size={14} />
        </ActionIcon>
      )}
      {isOpen && (
        <Paper className={classes.options} shadow="md" withBorder role="listbox" id={listId} aria-label="Completions">
          {options.map((option, position) => (
            <div
              key={`${option.key}:${option.value ?? ""}`}
              id={`${listId}-${position}`}
              role="option"
              aria-selected={position === active}
              className={classes.option}
              data-active={position === active || undefined}
              // Before the input loses the focus.
              onMouseDown={(event) => {
                event.preventDefault();
                choose(option);
              }}
            >
              <span className={classes.text}>
                <span className={classes.optionKey}>{brief(option.key, 100)}:</span>
                {option.value === undefined ? "" : brief(option.value, 200)}
              </span>
              <span className={classes.count}>{formatShortCount(option.count)}</span>
            </div>
          ))}
        </Paper>
      )}
      {showsProblem && !isOpen && <ProblemAt id={problemId} {...problem} />}
      {!showsProblem && !isOpen && draft === view.search && hints.length > 0 && <Hints hints={hints} />}
    </div>
  );
}

function Hints({ hints }: { hints: readonly string[] }) {
  return (
    <Paper className={classes.hints} shadow="md" withBorder role="status" aria-label="Hints">
      {hints.map((hint) => (
        <span key={hint}>{brief(hint, 500)}</span>
      ))}
    </Paper>
  );
}

function ProblemAt({ id, search, message, position }: { id: string; search: string; message: string; position: number | null }) {
  return (
    <Paper className={classes.problem} shadow="md" withBorder role="alert" id={id}>
      {position !== null && (
        <code className={classes.faulty}>
          {brief(search.slice(Math.max(0, position - 60), position))}
          <mark data-testid="search-fault">{brief(search.slice(position, position + 1)) || "␣"}</mark>
          {brief(search.slice(position + 1, position + 60))}
        </code>
      )}
      <span>The search cannot be understood: {message}.</span>
    </Paper>
  );
}

function useOptions(word: Word | null): Option[] {
  const { at } = useInstant();
  // Minutes are enough for a completion, and do not ask anew while the view is live.
  const to = at - (at % 60) + 60;
  const text = word?.text ?? "";
  const found = useQuery({
    queryKey: ["tags", text, to],
    queryFn: ({ signal }) =>
      get<TagCompletion>("/tags", { prefix: text, limit: COMPLETIONS, from: to - 960, to }, signal),
    enabled: word !== null,
    placeholderData: keepPreviousData,
    retry: false,
  });
  if (word === null || !found.data) return [];
  // Keys while there is no colon, values after it; what is left of the last word's does not fit this one.
  const colon = text.indexOf(":");
  const typed = text.toLowerCase();
  if (colon < 0) return found.data.keys.filter(({ key }) => key.startsWith(typed));
  const key = text.slice(0, colon).toLowerCase();
  if (!found.data.prefix.toLowerCase().startsWith(`${key}:`)) return [];
  return found.data.values
    .filter(({ value }) => `${key}:${value.toLowerCase()}`.startsWith(typed))
    .map(({ value, count }) => ({ key, value, count }));
}
