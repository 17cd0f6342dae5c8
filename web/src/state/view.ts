/** The view: everything that a link shares, and its form in the address. */

import { fromDatadog } from "./language/ownLanguage";

export const TABS = ["table", "hosts", "containers", "groups", "graphs", "scatter", "compare", "monitors"] as const;
export type Tab = (typeof TABS)[number];

export type ViewTime =
  | { mode: "live" }
  | { mode: "last"; seconds: number }
  | { mode: "range"; from: number; to: number }
  | { mode: "at"; at: number };

export interface ViewState {
  /** In our own language. */
  search: string;
  /** Terms of the tag filter: `env:prod`, `!env:prod`. None has a comma. */
  tags: string[];
  time: ViewTime;
  tab: Tab;
  /** Of the table, by id, in their order. */
  columns: string[];
  /** As the API has it: a column, with `-` for the greatest first. */
  sort: string;
  /** What groups, graphs and points are put together by: a tag key or an attribute. */
  by: string;
  /** The process whose panel is open. */
  selected: string | null;
  /** What a tab keeps for itself; keys are lower-case words. */
  extra: Record<string, string>;
}

export const DEFAULT_COLUMNS = [
  "command",
  "cpu_total_percent",
  "rss_bytes",
  "user",
  "pid",
  "host",
  "start",
  "container",
  "tags",
];

export const DEFAULT_VIEW: ViewState = {
  search: "",
  tags: [],
  time: { mode: "last", seconds: 900 },
  tab: "table",
  columns: DEFAULT_COLUMNS,
  sort: "-cpu_total_percent",
  by: "command",
  selected: null,
  extra: {},
};

/** Of those that have ended. */
export const ENDED_COLUMNS = [
  "command",
  "ended",
  "exit_code",
  "signal",
  "lifetime",
  "user",
  "pid",
  "host",
  "start",
  "container",
  "tags",
];

const EXTRA = "x.";
const MAX_MOMENT = 4_294_967_295;

/** The view of a query string, with or without its `?`. What it cannot make sense of is as in the default view. */
export function parseView(query: string): ViewState {
  const params = new URLSearchParams(query);
  const text = (name: string, fallback: string) => params.get(name) ?? fallback;
  const extra: Record<string, string> = {};
  for (const [name, value] of params) {
    const key = name.slice(EXTRA.length);
    if (name.startsWith(EXTRA) && key) extra[key] = value;
  }
  const tab = TABS.find((one) => one === params.get("tab"));
  return {
    // Older links have `q`, in Datadog's language.
    search: params.get("s") ?? fromDatadog(text("q", "")),
    tags: list(params.get("tags")) ?? [],
    time: parseTime(params),
    tab: tab ?? DEFAULT_VIEW.tab,
    columns: list(params.get("cols")) ?? DEFAULT_COLUMNS,
    sort: text("sort", "") || DEFAULT_VIEW.sort,
    by: text("by", "") || DEFAULT_VIEW.by,
    selected: textOrNull(params.get("p")),
    extra,
  };
}

/** The shortest query string of a view, without `?`; the same view gives the same one. */
export function formatView(view: ViewState): string {
  const parts: [string, string][] = [];
  const add = (name: string, value: string, fallback = "") => {
    if (value !== fallback) parts.push([name, value]);
  };
  add("s", view.search);
  add("tags", view.tags.join(","));
  for (const [name, value] of formatTime(view.time)) add(name, value);
  add("tab", view.tab, DEFAULT_VIEW.tab);
  add("cols", view.columns.join(","), DEFAULT_COLUMNS.join(","));
  add("sort", view.sort, DEFAULT_VIEW.sort);
  add("by", view.by, DEFAULT_VIEW.by);
  add("p", view.selected ?? "");
  for (const key of Object.keys(view.extra).sort()) {
    const value = view.extra[key];
    if (value) add(EXTRA + key, value);
  }
  return parts.map(([name, value]) => `${readable(name)}=${readable(value)}`).join("&");
}

function parseTime(params: URLSearchParams): ViewTime {
  const at = moment(params.get("at"));
  if (at !== null) return { mode: "at", at };
  const from = moment(params.get("from"));
  const to = moment(params.get("to"));
  if (from !== null && to !== null && from < to) return { mode: "range", from, to };
  const span = params.get("t");
  if (span === "live") return { mode: "live" };
  const seconds = moment(span);
  return seconds ? { mode: "last", seconds } : DEFAULT_VIEW.time;
}

function formatTime(time: ViewTime): [string, string][] {
  switch (time.mode) {
    case "live":
      return [["t", "live"]];
    case "at":
      return [["at", String(time.at)]];
    case "range":
      return [
        ["from", String(time.from)],
        ["to", String(time.to)],
      ];
    case "last":
      return time.seconds === 900 ? [] : [["t", String(time.seconds)]];
  }
}

function moment(text: string | null): number | null {
  if (text === null || !/^\d{1,14}$/.test(text)) return null;
  // As JavaScript and other pages have them: no moment of a process is that far away in seconds.
  const number = text.length > 11 ? Math.floor(Number(text) / 1000) : Number(text);
  return number <= MAX_MOMENT ? number : null;
}

function textOrNull(text: string | null): string | null {
  return text === "" ? null : text;
}

function list(text: string | null): string[] | null {
  const items = (text ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
  return items.length > 0 ? [...new Set(items)] : null;
}

/** Percent-encoded, but for what a query string may hold as it is: people read addresses. */
function readable(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/%20/g, "+").replace(/%(3A|2C|2F|40)/g, decodeURIComponent);
}
