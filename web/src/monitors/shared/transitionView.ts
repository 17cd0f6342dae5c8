/** A transition -> the view of the table that shows it. */

import type { QueryParts, Transition } from "../../api/monitors";
import { fromDatadog } from "../../state/language/ownLanguage";
import { filterByGroup } from "../../state/grouping/filterByGroup";
import type { ViewState } from "../../state/view";

type Filters = Pick<ViewState, "search" | "tags">;
type Shown = Pick<Transition, "at" | "tags">;

/** The search of a monitor, and of one of its groups as far as there are filters for it. */
export function filtersOf(query: Pick<QueryParts, "search" | "language" | "over"> | undefined, group: Record<string, string>): Filters {
  let filters: Filters = {
    search: query === undefined ? "" : query.language === "procession" ? query.search : fromDatadog(query.search),
    tags: (query?.over ?? []).filter((tag) => tag.trim() !== "*" && tag.trim() !== ""),
  };
  for (const [key, value] of Object.entries(group)) {
    filters = filterByGroup(filters, key, value === "" ? null : value) ?? filters;
  }
  return filters;
}

/** The table at that instant. */
export function instantView(query: QueryParts | undefined, { at, tags }: Shown): Partial<ViewState> {
  return { tab: "table", selected: null, ...filtersOf(query, tags), time: { mode: "at", at } };
}

/** What ran in the time before, with what has ended since: for those that are gone. */
export function beforeView(query: QueryParts | undefined, { at, tags }: Shown, extra: ViewState["extra"]): Partial<ViewState> {
  const from = at - Math.max(query?.window_seconds ?? 0, 300) - 300;
  return {
    tab: "table",
    selected: null,
    ...filtersOf(query, tags),
    time: { mode: "range", from, to: at },
    extra: { ...extra, scope: "window" },
  };
}
