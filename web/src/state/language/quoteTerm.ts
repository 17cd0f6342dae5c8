/** A text as one term of a search, in quotes. */
export function quoteTerm(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
