/** Which tag keys are shown at the side. */

import type { FilterMode } from "../state/filters";

/** Shown where processes have them; the first ones always. */
export const DEFAULT_KEYS = [
  "host",
  "user",
  "command",
  "env",
  "service",
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

/** The key of a term of the tag filter: `env` of `!env:prod`. */
export function keyOf(term: string): string {
  const tag = term.replace(/^!/, "");
  const colon = tag.indexOf(":");
  return (colon < 0 ? tag : tag.slice(0, colon)).toLowerCase();
}

/** The terms with one value of a key chosen, excluded or neither. As a process has one host and one user, choosing
 * another value is instead of the one before; any number may be excluded. */
export function withValue(tags: readonly string[], term: string, mode: FilterMode): string[] {
  const key = keyOf(term);
  const isSame = (one: string) => one.replace(/^!/, "").toLowerCase() === term.toLowerCase();
  const others = tags.filter((one) => !isSame(one) && !(mode === "with" && keyOf(one) === key && !one.startsWith("!")));
  if (mode === null) return others;
  return [...others, mode === "with" ? term : `!${term}`];
}
