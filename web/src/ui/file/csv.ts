/** Rows -> CSV as RFC 4180 has it, harmless in a spreadsheet. */

export type Cell = string | number | null | undefined;

// What makes a spreadsheet take text for a formula: the ASCII signs, their full-width twins, and the controls that some
// programs skip before they look.
const FORMULA_START = /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/;

// Semicolons and tabs separate cells in some locales: quoted, they cannot begin a new one there either.
const NEEDS_QUOTES = /[",;\t\r\n]|^\s|\s$/;

/** Text as it is, but with an apostrophe before it where a spreadsheet would run it. Numbers are ours and stay numbers. */
export function escapeFormula(text: string): string {
  return FORMULA_START.test(text) ? `'${text}` : text;
}

export function csvCell(cell: Cell): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "number") return Number.isFinite(cell) ? String(cell) : "";
  const text = escapeFormula(cell);
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One line with its end: RFC 4180 wants CR LF. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}
