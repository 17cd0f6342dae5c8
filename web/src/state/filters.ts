/** The terms of the tag filter: each says that a tag must be there, or with `!` that it must not. */

export type Check = "with" | "without" | null;

/** Whether processes with this tag are chosen, excluded, or neither. */
export function checkOf(tags: readonly string[], tag: string): Check {
  const folded = tag.toLowerCase();
  for (const term of tags) {
    const text = term.toLowerCase();
    if (text === folded) return "with";
    if (text === `!${folded}`) return "without";
  }
  return null;
}

/** The terms with one of them set, changed or taken away. */
export function withCheck(tags: readonly string[], tag: string, check: Check): string[] {
  const folded = tag.toLowerCase();
  const others = tags.filter((term) => term.replace(/^!/, "").toLowerCase() !== folded);
  if (check === null) return others;
  return [...others, check === "with" ? tag : `!${tag}`];
}

/** The term that finds a tag: where it has a comma, anything may stand there. */
export function termOf(tag: string): string {
  return tag.replaceAll(",", "*").replace(/^!/, "*").trim();
}
