/** Completing the word at the caret of a search: a tag key, a value of one, or a number that is compared. */

import { quoteTerm } from "../state/language/quoteTerm";

export interface Word {
  start: number;
  end: number;
  /** Without a `!` before it. */
  text: string;
}

/** The bare word that ends at or goes through the caret; null in quotes. */
export function wordAt(search: string, caret: number): Word | null {
  let inQuotes = false;
  let start = 0;
  for (let index = 0; index < caret; index += 1) {
    const character = search.charAt(index);
    if (inQuotes && character === "\\") index += 1;
    else if (character === '"') inQuotes = !inQuotes;
    else if (!inQuotes && /[\s()]/.test(character)) start = index + 1;
  }
  if (inQuotes || search.slice(start, caret).includes('"')) return null;
  while (search.charAt(start) === "!" && start < caret) start += 1;
  const rest = /^[^\s()"]*/.exec(search.slice(caret));
  return { start, end: caret + (rest?.[0].length ?? 0), text: search.slice(start, caret) };
}

/** A value as the search language takes it: in quotes where it has what means something outside of them. */
export function quoteIfNeeded(value: string): string {
  return value === "" || /[\s()"*\\]/.test(value) ? quoteTerm(value) : value;
}

export interface Completed {
  search: string;
  caret: number;
}

/** A tag key, or a value of one, with how many processes have it; or a number that is compared. */
export interface Completion {
  key: string;
  value?: string;
  /** Null where nothing is counted. */
  count: number | null;
  /** What follows a key; `:` where it is not given. */
  sign?: ":" | ">";
}

/** The search with its word completed to `key:`, or to `key:value` and a blank. */
export function complete(search: string, word: Word, { key, value, sign = ":" }: Omit<Completion, "count">): Completed {
  const text = value === undefined ? key + sign : `${key}:${quoteIfNeeded(value)} `;
  const after = search.slice(word.end);
  return {
    search: search.slice(0, word.start) + text + (value === undefined ? after : after.trimStart()),
    caret: word.start + text.length,
  };
}
