/** What is typed into the search: the draft, its completion, and when it becomes the search of the view. */

import { useRef, useState, type KeyboardEvent, type RefObject } from "react";

import { useView } from "../state/useView";
import { parseView } from "../state/view";
import { complete, wordAt, type Completion, type Word } from "./completion";
import { isUnderstood } from "./searchError";
import { useCompletions } from "./useCompletions";

/** After the last key stroke. */
const IDLE_MS = 450;

interface SearchDraft {
  draft: string;
  /** What was typed and could not be understood: the view keeps the search before. */
  refused: string | null;
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
  const { search: committed, draft, refused, setDraft, commit, commitSoon, endTyping } = useDraft();
  const list = useCompletionList();

  const change = (search: string, caret: number | null) => {
    setDraft(search);
    list.open(search, caret);
    commitSoon(search);
  };

  const choose = (completion: Completion) => {
    if (!list.word) return;
    const next = complete(draft, list.word, completion);
    change(next.search, next.caret);
    requestAnimationFrame(() => input.current?.setSelectionRange(next.caret, next.caret));
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!list.word) list.open(draft, input.current?.selectionStart ?? null);
      list.move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" || (event.key === "Tab" && list.active >= 0)) {
      const completion = list.completions[list.active];
      event.preventDefault();
      if (completion) choose(completion);
      else {
        list.close();
        commit(draft);
        endTyping();
      }
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (list.word && list.completions.length > 0) list.close();
      else if (draft !== committed) setDraft(committed);
      else input.current?.blur();
    }
  };

  const onBlur = () => {
    list.close();
    if (draft !== committed) commit(draft);
  };

  const clear = () => {
    endTyping();
    setDraft("");
    list.close();
    commit("");
    input.current?.focus();
  };

  const { completions, active } = list;
  return { draft, refused, completions, active, change, choose, clear, onKeyDown, onFocus: endTyping, onBlur };
}

/** The text in the field, and when it becomes the search of the view: at once, or after a pause in typing; and not as
 * long as it cannot be understood, so that the last results stay while it is not finished. */
function useDraft() {
  const [view, patch] = useView();
  const [draft, setDraft] = useState(view.search);
  const [shown, setShown] = useState(view.search);
  const [refused, setRefused] = useState<string | null>(null);
  const commits = useRef(0);
  const asked = useRef<string | null>(null);
  const isTyping = useRef(false);
  const timer = useRef<number | undefined>(undefined);

  // The view may come from elsewhere: the back button, a click on a tag, a saved view.
  if (shown !== view.search) {
    setShown(view.search);
    setDraft(view.search);
    setRefused(null);
  }

  const commit = (search: string) => {
    window.clearTimeout(timer.current);
    const text = search.trim() === "" ? "" : search;
    // Leaving the field after Enter is no other search.
    if (asked.current === text) return;
    asked.current = text;
    const history = isTyping.current ? "replace" : "push";
    isTyping.current = true;
    commits.current += 1;
    const turn = commits.current;
    void isUnderstood(text).then((isSearch) => {
      if (turn !== commits.current) return;
      asked.current = null;
      // Meanwhile somebody may have gone to another view.
      if (parseView(window.location.search).search !== view.search) return;
      setRefused(isSearch ? null : text);
      if (!isSearch) return;
      setShown(text);
      // One step back is one search, not one letter.
      patch({ search: text }, history);
    });
  };
  const commitSoon = (search: string) => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => commit(search), IDLE_MS);
  };
  const endTyping = () => {
    isTyping.current = false;
  };
  return { search: view.search, draft, refused, setDraft, commit, commitSoon, endTyping };
}

/** The completions of the word at the caret, and which of them the keys have reached. */
function useCompletionList() {
  const [word, setWord] = useState<Word | null>(null);
  const [active, setActive] = useState(-1);
  const completions = useCompletions(word);

  const open = (search: string, caret: number | null) => {
    setActive(-1);
    setWord(wordAt(search, caret ?? search.length));
  };
  const close = () => {
    setWord(null);
    setActive(-1);
  };
  const move = (step: 1 | -1) => {
    if (completions.length === 0) return;
    setActive((active + step + completions.length + (active < 0 && step < 0 ? 1 : 0)) % completions.length);
  };
  return { word, completions, active, open, close, move };
}
