/** Searches of older links, which are in Datadog's language -> the same in our own. */

import { quoteTerm } from "./quoteTerm";

/** What our own language compares, by every name. */
export const COMPARED = [
  "pid",
  "ppid",
  "age",
  "ended",
  "exit_code",
  "signal",
  "lifetime",
  "io",
  "cpu",
  "rss",
  "mem",
  "vms",
  "shared",
  "swap",
  "threads",
  "fds",
  "read",
  "write",
  "received",
  "sent",
  "net",
  "connections",
  "cpu_total_percent",
  "cpu_user_percent",
  "cpu_system_percent",
  "rss_bytes",
  "vms_bytes",
  "shared_bytes",
  "swap_bytes",
  "open_files",
  "read_bytes_per_second",
  "write_bytes_per_second",
  "read_operations_per_second",
  "write_operations_per_second",
  "voluntary_switches",
  "involuntary_switches",
  "net_received_bytes_per_second",
  "net_sent_bytes_per_second",
  "net_bytes_per_second",
  "net_connections_per_second",
] as const;

const NAMES: ReadonlySet<string> = new Set(COMPARED);

/** Keys of which our own language also finds what agents have found out. */
export const DISCOVERED = ["injection", "language", "listens", "service"] as const;

const DISCOVERED_KEYS: ReadonlySet<string> = new Set(DISCOVERED);

/** As the server has them: JavaScript's own are others. */
const BLANK = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const TOKEN = new RegExp(
  `(?<apart>[${BLANK}]+|[()!])|(?<bare>[^${BLANK}()"]+)(?!")(?=[${BLANK}()]|$)|(?:[^${BLANK}()"]+|"(?:[^"\\\\]|\\\\[^])*")+`,
  "uy",
);
const OPERATORS = new Set(["AND", "OR", "NOT"]);

/** What is no search stays as it is. */
export function fromDatadog(search: string): string {
  const parts = partsOf(search);
  if (parts === null) return search;
  return parts.map(({ text, bare }) => (bare === undefined ? text : termOf(bare))).join("");
}

/** Whether a search finds the same in Datadog's language and in our own. */
export function isInBoth(search: string): boolean {
  return fromDatadog(search) === search;
}

/** In quotes a word finds texts only; a value in several parts compares nothing, and looks at tags alone. */
function termOf(word: string): string {
  if (OPERATORS.has(word)) return word;
  const colon = word.indexOf(":");
  if (colon < 1) return quoteTerm(word);
  if (!NAMES.has(nameIn(word) ?? "") && !DISCOVERED_KEYS.has(word.slice(0, colon).toLowerCase())) return word;
  return `${word.slice(0, colon + 1)}""${word.slice(colon + 1)}`;
}

/** Words that may compare a number, each once: the server knows whether they do. */
export function comparedIn(search: string): string[] {
  const words = (partsOf(search) ?? []).map(({ bare }) => bare ?? "");
  return [...new Set(words.filter((word) => NAMES.has(nameIn(word) ?? "")))];
}

/** A search of words that must all be there, without some of them; null where it is more than that. */
export function withoutCompared(search: string, compared: ReadonlySet<string>): string | null {
  const parts = partsOf(search)?.filter(({ text }) => text.trim() !== "") ?? [];
  if (parts.some(({ text }) => text === "(" || text === ")" || text === "OR")) return null;
  const kept: string[] = [];
  let sign = "";
  for (const { text, bare } of parts) {
    if (text === "AND") continue;
    if (text === "!" || text === "NOT") sign = sign === "" ? "!" : "";
    else {
      if (!compared.has(bare ?? "")) kept.push(sign + text);
      sign = "";
    }
  }
  return kept.join(" ");
}

interface Part {
  text: string;
  /** Where it is a word without quotes. */
  bare: string | undefined;
}

/** Null for what is no search. */
function partsOf(search: string): Part[] | null {
  TOKEN.lastIndex = 0;
  const parts: Part[] = [];
  while (TOKEN.lastIndex < search.length) {
    const found = TOKEN.exec(search);
    if (found === null) return null;
    parts.push({ text: found[0], bare: found.groups?.bare });
  }
  return parts;
}

function nameIn(word: string): string | undefined {
  return /^([A-Za-z_]+)[:<>]/.exec(word)?.[1]?.toLowerCase();
}
