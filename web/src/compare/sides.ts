/** What is compared, as the address has it -> parameters of the call. */

import type { Params } from "../api/client";
import type { Match } from "../api/types";
import { languageParams } from "../state/instant";
import type { ViewState } from "../state/view";

export const SUBJECTS = ["instants", "hosts", "groups"] as const;
export type Subject = (typeof SUBJECTS)[number];

export interface Sides {
  subject: Subject;
  /** A moment in Unix seconds, a host, or tags separated by commas; empty where nothing is chosen yet. */
  left: string;
  right: string;
  match: Match;
}

const HOUR = 3600;
const MATCHES: readonly Match[] = ["process", "cmdline", "command"];

/** The sides that the `extra` of a view names. By default: the instant of the view, and an hour before it. */
export function sidesOf(extra: Readonly<Record<string, string>>): Sides {
  const subject = SUBJECTS.find((one) => one === extra.cmp) ?? "instants";
  const match = MATCHES.find((one) => one === extra.match) ?? (subject === "instants" ? "process" : "command");
  return { subject, left: extra.left ?? "", right: extra.right ?? "", match };
}

/** The instants of the two sides, where instants are compared. */
export function instantsOf(sides: Sides, at: number): [left: number, right: number] {
  const right = momentOf(sides.right) ?? at;
  return [momentOf(sides.left) ?? right - HOUR, right];
}

function momentOf(text: string): number | null {
  return /^\d{1,10}$/.test(text) ? Number(text) : null;
}

/** Null as long as a side is not chosen. */
export function compareParams(
  sides: Sides,
  view: Pick<ViewState, "search" | "tags">,
  at: number,
  limit: number,
): Params | null {
  const common = { search: view.search, ...languageParams(view), match: sides.match, limit };
  if (sides.subject === "instants") {
    const [left, right] = instantsOf(sides, at);
    return { ...common, tags: view.tags.join(","), at: left, other_at: right };
  }
  if (sides.left === "" || sides.right === "") return null;
  if (sides.subject === "hosts") {
    return { ...common, tags: view.tags.join(","), at, host: sides.left, other_host: sides.right };
  }
  return {
    ...common,
    at,
    tags: [...view.tags, sides.left].join(","),
    other_tags: [...view.tags, sides.right].join(","),
  };
}

/** The view's `extra` with other sides; what is as it would be anyway is left out. */
export function withSides(extra: Readonly<Record<string, string>>, change: Partial<Sides>): Record<string, string> {
  const isOther = change.subject !== undefined && change.subject !== sidesOf(extra).subject;
  // A host is no moment: with another subject the sides are chosen anew.
  const after: Record<string, string> = isOther ? { ...extra, left: "", right: "", match: "" } : { ...extra };
  const named = { cmp: change.subject, left: change.left, right: change.right, match: change.match };
  for (const [key, value] of Object.entries(named)) {
    if (value !== undefined) after[key] = value;
  }
  return Object.fromEntries(Object.entries(after).filter(([, value]) => value !== ""));
}
