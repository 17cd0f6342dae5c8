/** The parts of a query -> its text, as the server reads it; and what of a search no query of a monitor can say. */

import type { QueryParts } from "../../api/monitors";
import { tagsOf } from "../../state/filters";
import { comparedIn, isInBoth, withoutCompared } from "../../state/language/ownLanguage";
import { isOfEnding, scopeOf } from "../../state/scope";
import type { ViewState } from "../../state/view";

/** As the server has them. */
const MOST_TAGS = 64;
const MOST_CHARACTERS = 4096;

const HAS_WINDOW: ReadonlySet<string> = new Set(["count", "starts", "first_seen"]);
const HAS_MEASURE: ReadonlySet<string> = new Set(["sum", "max"]);

export const hasWindow = (name: string): boolean => HAS_WINDOW.has(name);
export const hasMeasure = (name: string): boolean => HAS_MEASURE.has(name);

type Written = Omit<QueryParts, "threshold" | "window_seconds"> & { threshold: string; window: string };

export function queryText(parts: Written): string {
  const calls = [`processes(${quoted(parts.search)})`];
  // Where both languages have it mean the same, the query is one that Datadog understands.
  if (parts.language === "procession" && !isInBoth(parts.search)) calls.push("language('procession')");
  if (parts.over.length > 0) calls.push(`over(${parts.over.map(quoted).join(",")})`);
  if (parts.by.length > 0) calls.push(`by(${parts.by.map(quoted).join(",")})`);
  const measure = hasMeasure(parts.function) && parts.measure !== null ? [parts.measure] : [];
  calls.push(`rollup(${[parts.function, ...measure].map(quoted).join(",")})`);
  if (hasWindow(parts.function)) calls.push(`last(${quoted(parts.window)})`);
  return `${calls.join(".")} ${parts.comparison} ${parts.threshold.trim()}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

/** `5m`, `1h`, `1d` */
export function timeframe(seconds: number): string {
  for (const [unit, length] of [
    ["d", 86_400],
    ["h", 3600],
  ] as const) {
    if (seconds > 0 && seconds % length === 0) return `${seconds / length}${unit}`;
  }
  return `${Math.round(seconds / 60)}m`;
}

export interface Carried {
  search: string;
  over: string[];
  /** In words, what is left out. */
  leftOut: string[];
}

type Searched = Pick<ViewState, "search" | "tags" | "extra" | "time">;

/** The search of a view as a monitor has it: the same processes, or it says what makes the difference. `compares` says
 * which of the words that look like it compare numbers, as the server reads them. How processes ended is no number: it
 * becomes a part of the search, be it a tag or the scope of the view. */
export function carriedOf(view: Searched, compares: ReadonlySet<string> = new Set()): Carried {
  const leftOut: string[] = [];
  let search = view.search.trim() === "" ? "" : view.search;
  const compared = comparedIn(search).filter((word) => compares.has(word));
  if (compared.length > 0) {
    const rest = withoutCompared(search, compares);
    leftOut.push(...(rest === null ? [`the search ${search}, which compares numbers,`] : compared));
    search = rest ?? "";
  }
  const endings = view.tags.filter((tag) => isEnding(tag) && tagsOf(tag).length === 1);
  if (scopeOf(view) === "ended") endings.push("ended:true");
  search = withEndings(search, endings);
  if (search.length > MOST_CHARACTERS) {
    leftOut.push(`the search, which is longer than ${MOST_CHARACTERS} characters`);
    search = "";
  }
  const over = view.tags.filter((tag) => {
    const isEither = tagsOf(tag).length > 1;
    // There it means "every process"; as a filter it means "with any tag".
    const isAny = tag.trim() === "*";
    if (isAny) leftOut.push("the tag *");
    if (isEither) leftOut.push(`${tag}, since a monitor has no OR between tags`);
    return tag.trim() !== "" && !isAny && !isEnding(tag) && !isEither;
  });
  for (const tag of over.slice(MOST_TAGS)) leftOut.push(`the tag ${tag}`);
  return { search, over: over.slice(0, MOST_TAGS), leftOut };
}

function isEnding(tag: string): boolean {
  return tagsOf(tag).some((one) => isOfEnding(one.replace(/:.*$/, "").toLowerCase()));
}

function withEndings(search: string, endings: readonly string[]): string {
  if (search === "" || endings.length === 0) return [search, ...endings].join(" ").trim();
  return [`(${search})`, ...endings].join(" ");
}

/** Whether a search asks how processes ended: then it is about a time, and not about now. */
export function asksForEndings(search: string): boolean {
  return comparedIn(search).some((word) => isOfEnding(word.replace(/[:<>].*$/, "").toLowerCase()));
}
