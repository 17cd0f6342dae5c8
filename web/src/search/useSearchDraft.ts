/** What is typed into the search: the draft, its completion, and when it becomes the search of the view. */

import { useRef, useState, type KeyboardEvent, type RefObject } from "react";

import { useView } from "../state/useView";
import { complete, wordAt, type Word } from "./completion";
import { useCompletions, type Completion } from "./useCompletions";

/** After the last key stroke. */
const IDLE_MS = 450;

interface SearchDraft {
  draft: string;
  /** Of the word at the caret; none while the list is closed. */
  completions: readonly Completion[];
  /** Index of the completion that Enter takes; -1 for none. */
  active: number;
  change: (search: string, caret: number | null) => void;
  choose: (completion: Completion) => void;
  clear: () => void;
  onKeyDown: (event: KeyboardEvent) => void;
  onFocus: () => void;
  onBlur: () => void;
}

export function useSearchDraft(input: RefObject<HTMLInputElement | null>): SearchDraft {
  const [view, patch] = useView();
  const [draft, setDraft] = useState(view.search);
  const [shown, setShown] = useState(view.search);
  const [word, setWord] = useState<Word | null>(null);
  const [active, setActive] = useState(-1);
  const isTyping = useRef(false);
  const timer = useRef<number | undefined>(undefined);
  const completions = useCompletions(word);

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

  const choose = (completion: Completion) => {
    if (!word) return;
    const next = complete(draft, word, completion.key, completion.value);
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
      if (completions.length === 0) return;
      const step = event.key === "ArrowDown" ? 1 : -1;
      setActive((active + step + completions.length + (active < 0 && step < 0 ? 1 : 0)) % completions.length);
    } else if (event.key === "Enter" || (event.key === "Tab" && active >= 0)) {
      const completion = completions[active];
      event.preventDefault();
      if (completion) choose(completion);
      else {
        close();
        commit(draft);
        isTyping.current = false;
      }
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (word && completions.length > 0) close();
      else if (draft !== view.search) setDraft(view.search);
      else input.current?.blur();
    }
  };

  const onFocus = () => {
    isTyping.current = false;
  };

  const onBlur = () => {
    close();
    if (draft !== view.search) commit(draft);
  };

  const clear = () => {
    isTyping.current = false;
    setDraft("");
    close();
    commit("");
    input.current?.focus();
  };

  return { draft, completions, active, change, choose, clear, onKeyDown, onFocus, onBlur };
}
