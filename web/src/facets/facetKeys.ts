/** Which tag keys are shown at the side. */

import { anyOf, tagsOf, withoutTag, type FilterMode } from "../state/filters";

/** Shown where processes have them; the first ones always. */
export const DEFAULT_KEYS = [
  "host",
  "user",
  "command",
  "env",
  "service",
  "language",
  "listens",
  "version",
  "container_name",
  "image_name",
  "kube_cluster_name",
  "kube_namespace",
  "kube_deployment",
  "pod_name",
  "region",
  "availability-zone",
  "team",
  "role",
  "state_zombie",
];

/** How processes ended: of a window, and no tags. */
export const ENDING_KEYS = ["ended", "exit_code", "signal"];

export const ALWAYS_SHOWN = new Set(["host", "user", "command"]);

export const OPEN_BY_DEFAULT = new Set([...ALWAYS_SHOWN, "env", "service"]);

const STORED = "procession-facets";

/** The keys that this viewer has added. */
export function addedKeys(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED) ?? "[]");
    return Array.isArray(stored) ? stored.filter((key) => typeof key === "string") : [];
  } catch {
    return [];
  }
}

export function saveAddedKeys(keys: readonly string[]): void {
  try {
    localStorage.setItem(STORED, JSON.stringify(keys));
  } catch {
    // A browser that keeps nothing shows them until it is closed.
  }
}

/** The key of a term of the tag filter: `env` of `!env:prod`; empty where its tags have different ones. */
export function keyOf(term: string): string {
  const [key = "", ...others] = tagsOf(term).map((tag) => (tag.includes(":") ? tag.slice(0, tag.indexOf(":")) : tag).toLowerCase());
  return others.every((other) => other === key) ? key : "";
}

/** The terms with one value of a key chosen, excluded or neither. Of the chosen values of a key one is enough; any number
 * may be excluded. */
export function withValue(tags: readonly string[], tag: string, mode: FilterMode): string[] {
  const others = withoutTag(tags, tag);
  if (mode === null) return others;
  if (mode === "without") return [...others, `!${tag}`];
  const key = keyOf(tag);
  const sameKey = others.findLast((term) => !term.startsWith("!") && keyOf(term) === key);
  if (sameKey === undefined) return [...others, tag];
  return others.map((term) => (term === sameKey ? anyOf([...tagsOf(term), tag]) : term));
}

/** The values of a key that the filter names, without those that stand for many. */
export function namedValues(tags: readonly string[], key: string): string[] {
  return tags
    .filter((term) => keyOf(term) === key)
    .flatMap(tagsOf)
    .filter((tag) => tag.includes(":") && !tag.includes("*"))
    .map((tag) => tag.slice(tag.indexOf(":") + 1));
}
