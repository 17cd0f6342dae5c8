/** A group -> the filters that leave only its processes. */

import { termOf, withFilterMode } from "../filters";
import { quoteTerm } from "../language/quoteTerm";
import type { ViewState } from "../view";

/** Attributes to group by, besides tag keys, and how to filter by each: null where the API has no filter. */
const ATTRIBUTES: Readonly<Record<string, "search" | "tag" | null>> = {
  exe: "search",
  cmdline: "search",
  container_id: "tag",
  state: null,
  cwd: null,
  ppid: null,
};

export const ATTRIBUTE_NAMES = Object.keys(ATTRIBUTES);

/** Null where the API has no filter for it. A group without a value is that of all that lack the tag. */
export function filterByGroup(
  view: Pick<ViewState, "search" | "tags">,
  by: string,
  value: string | null,
  isExcluded = false,
): Pick<ViewState, "search" | "tags"> | null {
  const how = by in ATTRIBUTES ? ATTRIBUTES[by] : "tag";
  if (how === null || how === undefined) return null;
  if (how === "search") {
    if (value === null || value === "") return null;
    const term = `${isExcluded ? "!" : ""}${quoteTerm(value)}`;
    return { tags: view.tags, search: joined(view.search, term) };
  }
  if (value === null) {
    return { search: view.search, tags: withFilterMode(view.tags, `${by}:*`, isExcluded ? "with" : "without") };
  }
  const tag = value === "" ? by : termOf(`${by}:${value}`);
  return { search: view.search, tags: withFilterMode(view.tags, tag, isExcluded ? "without" : "with") };
}

/** OR binds less than what follows: a search that may have one goes between parentheses. */
function joined(search: string, term: string): string {
  const before = search.trim();
  if (before === "") return term;
  return /\bOR\b/.test(before) ? `(${before}) ${term}` : `${before} ${term}`;
}
