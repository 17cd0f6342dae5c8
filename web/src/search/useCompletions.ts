import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { get } from "../api/client";
import type { TagCompletion } from "../api/types";
import { useRecentMinutes } from "../state/useRecentMinutes";
import type { Completion, Word } from "./completion";

const MAX_COMPLETIONS = 12;
const MAX_KEYS = 6;

/** What is mostly looked for is more than some number, or one of few values. */
const NUMBERS: readonly [key: string, sign: ":" | ">"][] = [
  ["cpu", ">"],
  ["rss", ">"],
  ["age", ">"],
  ["pid", ":"],
  ["ppid", ":"],
  ["threads", ">"],
  ["fds", ">"],
  ["io", ">"],
  ["read", ">"],
  ["write", ">"],
  ["swap", ">"],
  ["ended", ":"],
  ["exit_code", ":"],
  ["signal", ":"],
  ["lifetime", ">"],
];

/** Completions of the word at the caret; none without a word. */
export function useCompletions(word: Word | null): Completion[] {
  const { from, to } = useRecentMinutes();
  const text = word?.text ?? "";
  const found = useQuery({
    queryKey: ["tags", text, to],
    queryFn: ({ signal }) =>
      get<TagCompletion>("/tags", { prefix: text, limit: MAX_COMPLETIONS, matches: "true", from, to }, signal),
    enabled: word !== null,
    placeholderData: keepPreviousData,
    retry: false,
  });
  return useMemo(() => (word === null ? [] : completionsOf(word.text, found.data)), [word, found.data]);
}

/** Of what the server has found, or has found for the word before. */
export function completionsOf(text: string, found: TagCompletion | undefined): Completion[] {
  // Keys while there is no colon, values after it; what is left of the last word's does not fit this one.
  const colon = text.indexOf(":");
  const typed = text.toLowerCase();
  if (colon < 0) {
    const keys = (found?.keys ?? []).filter(({ key }) => key.startsWith(typed));
    const matches = (found?.matches ?? []).filter(({ value }) => value.toLowerCase().startsWith(typed));
    return [...keys.slice(0, typed === "" ? MAX_COMPLETIONS : MAX_KEYS), ...numbersFrom(typed), ...matches].slice(0, MAX_COMPLETIONS);
  }
  const key = text.slice(0, colon).toLowerCase();
  if (!found?.prefix.toLowerCase().startsWith(`${key}:`)) return [];
  return found.values
    .filter(({ value }) => `${key}:${value.toLowerCase()}`.startsWith(typed))
    .map(({ value, count }) => ({ key, value, count }));
}

/** Numbers that are compared, by names that begin so. */
function numbersFrom(typed: string): Completion[] {
  if (typed === "") return [];
  return NUMBERS.filter(([key]) => key.startsWith(typed)).map(([key, sign]) => ({ key, sign, count: null }));
}
