/** The terms of the tag filter: each says that a tag must be there, or with `!` that it must not. */

export type FilterMode = "with" | "without" | null;

/** Whether processes with this tag are chosen, excluded, or neither. */
export function filterModeOf(tags: readonly string[], tag: string): FilterMode {
  const folded = tag.toLowerCase();
  for (const term of tags) {
    const text = term.toLowerCase();
    if (text === folded) return "with";
    if (text === `!${folded}`) return "without";
  }
  return null;
}

/** The terms with one of them set, changed or taken away. */
export function withFilterMode(tags: readonly string[], tag: string, mode: FilterMode): string[] {
  const folded = tag.toLowerCase();
  const others = tags.filter((term) => term.replace(/^!/, "").toLowerCase() !== folded);
  if (mode === null) return others;
  return [...others, mode === "with" ? tag : `!${tag}`];
}

/** The term that finds a tag: where it has a comma, anything may stand there. */
export function termOf(tag: string): string {
  return tag.replaceAll(",", "*").replace(/^!/, "*").trim();
}
