/** A request of the page as a line for a shell, safe to paste whatever it looks for. */

export type Parameters = readonly (readonly [name: string, value: string])[];

const PRINTABLE = /^[ -~]*$/;

/** One word of a POSIX shell: nothing has a meaning between single quotes but the quote that ends them. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Everything but letters, digits and `-._~`, as bytes of UTF-8. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * `curl` for GET `path` of this server, with the key as a variable of the shell.
 *
 * Plain text stays readable. Text with anything else in it is percent-encoded: an escape sequence that is pasted can end
 * the terminal's own paste mode and type what comes next, and marks of direction can show another line than the one run.
 */
export function curlCommand(origin: string, path: string, parameters: Parameters): string {
  const parts = [`curl -sG ${shellQuoted(origin + path)}`, `-H "Authorization: Bearer $DD_APP_KEY"`];
  for (const [name, value] of parameters) {
    parts.push(
      PRINTABLE.test(value)
        ? `--data-urlencode ${shellQuoted(`${name}=${value}`)}`
        : `--data ${shellQuoted(`${percentEncoded(name)}=${percentEncoded(value)}`)}`,
    );
  }
  return parts.join(" \\\n  ");
}
