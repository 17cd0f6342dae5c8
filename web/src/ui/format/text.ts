/** Text of other machines, made fit to be shown. It may hold anything: what is invisible is shown as what it is. */

// Controls, marks that turn the direction of what follows, and what has no width.
// eslint-disable-next-line no-control-regex
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** As many characters as a cell can show, at most; the panel shows all of it. */
const CELL_CHARACTERS = 400;

export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const code = character.charCodeAt(0);
    if (code === 0x0a) return "↵";
    if (code === 0x09) return "⇥";
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return `⟨${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

/** For a cell: visible, and no longer than a cell needs. */
export function brief(text: string, most: number = CELL_CHARACTERS): string {
  return text.length > most ? `${visible(text.slice(0, most))}…` : visible(text);
}
