/** The search: one line in our own language, completed as one types, with errors where they are. */

import { ActionIcon } from "@mantine/core";
import { IconSearch, IconX } from "@tabler/icons-react";
import { useEffect, useId, useRef, type RefObject } from "react";

import { useView } from "../state/useView";
import { isEditable } from "../ui/parts/isEditable";
import { CompletionList } from "./CompletionList";
import classes from "./SearchBar.module.css";
import { useSearchHints } from "./searchHints";
import { SearchHintsMessage, SearchErrorMessage } from "./SearchMessages";
import { useSearchError } from "./searchError";
import { useSearchDraft } from "./useSearchDraft";

export function SearchBar() {
  const [view] = useView();
  const input = useRef<HTMLInputElement>(null);
  const { draft, refused, completions, active, change, choose, clear, onKeyDown, onFocus, onBlur } = useSearchDraft(input);
  const listId = useId();
  const problemId = useId();
  const problem = useSearchError(refused ?? view.search);
  const hints = useSearchHints(view.search, view.tags);
  useSlashKey(input);

  const isOpen = completions.length > 0;
  const showsProblem = problem !== null && draft === problem.search;
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
        placeholder="Search commands, hosts, tags, numbers:  java env:prod cpu>50"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={draft}
        onChange={(event) => change(event.currentTarget.value, event.currentTarget.selectionStart)}
        onKeyDown={onKeyDown}
        onFocus={onFocus}
        onBlur={onBlur}
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
          onClick={clear}
        >
          <IconX size={14} />
        </ActionIcon>
      )}
      {isOpen && <CompletionList id={listId} completions={completions} active={active} onChoose={choose} />}
      {showsProblem && !isOpen && <SearchErrorMessage id={problemId} {...problem} keepsResults={refused !== null} />}
      {!showsProblem && !isOpen && draft === view.search && hints.length > 0 && <SearchHintsMessage hints={hints} />}
    </div>
  );
}

/** `/` goes to the search from anywhere. */
function useSlashKey(input: RefObject<HTMLInputElement | null>): void {
  useEffect(() => {
    const focus = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isEditable(event.target)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    window.addEventListener("keydown", focus);
    return () => window.removeEventListener("keydown", focus);
  }, [input]);
}
