import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { get } from "../api/client";
import type { TagCompletion } from "../api/types";
import { useRecentMinutes } from "../state/useRecentMinutes";
import type { Word } from "./completion";

const MAX_COMPLETIONS = 12;

/** A tag key, or a value of one, with how many processes have it. */
export interface Completion {
  key: string;
  value?: string;
  count: number;
}

/** Completions of the word at the caret; none without a word. */
export function useCompletions(word: Word | null): Completion[] {
  const { from, to } = useRecentMinutes();
  const text = word?.text ?? "";
  const found = useQuery({
    queryKey: ["tags", text, to],
    queryFn: ({ signal }) =>
      get<TagCompletion>("/tags", { prefix: text, limit: MAX_COMPLETIONS, from, to }, signal),
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
