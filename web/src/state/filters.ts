/** The terms of the tag filter: each says that a tag must be there, or with `!` that it must not. In a term with `OR`
 * between tags, one of them is enough. */

export type FilterMode = "with" | "without" | null;

const OR = /\s+OR\s+/;

/** The tags of a term, of which one is enough; of a term with `!` the one that must not be there. */
export function tagsOf(term: string): string[] {
  return term.startsWith("!") ? [term.slice(1)] : term.split(OR);
}

/** A term that any of the tags is enough for. */
export function anyOf(tags: readonly string[]): string {
  return tags.join(" OR ");
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Whether processes with this tag are chosen, excluded, or neither. */
export function filterModeOf(tags: readonly string[], tag: string): FilterMode {
  const found = tags.find((term) => tagsOf(term).some((one) => isSame(one, tag)));
  if (found === undefined) return null;
  return found.startsWith("!") ? "without" : "with";
}

/** The terms without a tag; others that were enough beside it stay. */
export function withoutTag(tags: readonly string[], tag: string): string[] {
  return tags.flatMap((term) => {
    const before = tagsOf(term);
    const left = before.filter((one) => !isSame(one, tag));
    if (left.length === before.length) return [term];
    return left.length === 0 ? [] : [anyOf(left)];
  });
}

/** The terms with one of them set, changed or taken away. */
export function withFilterMode(tags: readonly string[], tag: string, mode: FilterMode): string[] {
  const others = withoutTag(tags, tag);
  if (mode === null) return others;
  return [...others, mode === "with" ? tag : `!${tag}`];
}

/** The terms that mean the opposite of one: without both is not without either. */
export function turnedAround(term: string): string[] {
  return term.startsWith("!") ? [term.slice(1)] : tagsOf(term).map((tag) => `!${tag}`);
}

/** The term that finds a tag: where it has a comma, or an `OR`, anything may stand there. */
export function termOf(tag: string): string {
  return tag.replaceAll(",", "*").replace(/\s+OR(?=\s)/g, "*OR").replace(/^!/, "*").trim();
}
