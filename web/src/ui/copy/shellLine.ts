/** Arguments as a line for a shell, safe to paste whatever is in them. */

import { shellQuoted } from "./curlCommand";

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;
const PRINTABLE = /^[ -~]*$/;

export function shellLine(args: readonly string[]): string {
  return args.map(word).join(" ");
}

function word(text: string): string {
  if (PLAIN.test(text)) return text;
  return PRINTABLE.test(text) ? shellQuoted(text) : `$'${escaped(text)}'`;
}

/** What could steer a terminal, as bytes of UTF-8. */
function escaped(text: string): string {
  let line = "";
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    if (character === "'" || character === "\\") line += `\\${character}`;
    // Three digits: a letter behind them is no part of the number.
    else line += byte >= 0x20 && byte < 0x7f ? character : `\\${byte.toString(8).padStart(3, "0")}`;
  }
  return line;
}
