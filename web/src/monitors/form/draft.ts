/** What somebody writes into the form of a monitor <-> what is sent. */

import type { Comparison, Monitor, MonitorBody, MonitorFunction, MonitorOptions, QueryParts, Thresholds } from "../../api/monitors";
import { isInBoth } from "../../state/language/ownLanguage";
import { fieldsOf, NO_OPTIONS, numberOrText, withFields, type OptionFields } from "./optionFields";
import { asksForEndings, queryText, timeframe, type Carried } from "./queryText";

export interface Draft extends OptionFields {
  name: string;
  search: string;
  language: QueryParts["language"];
  /** Between commas, as are `by` and `tags`. */
  over: string;
  by: string;
  function: MonitorFunction;
  measure: string;
  window: string;
  comparison: Comparison;
  critical: string;
  warning: string;
  criticalRecovery: string;
  warningRecovery: string;
  message: string;
  tags: string;
  priority: string;
  missing: string;
  isDraft: boolean;
}

/** What is not changed in the form is sent as it was, and so is what the form has no field for. */
export interface Written {
  draft: Draft;
  begun: { draft: Draft; body: MonitorBody } | null;
}

const EMPTY: Draft = {
  ...NO_OPTIONS,
  name: "",
  search: "",
  language: "procession",
  over: "",
  by: "",
  function: "count_now",
  measure: "rss_bytes",
  window: "5m",
  comparison: "<",
  critical: "1",
  warning: "",
  criticalRecovery: "",
  warningRecovery: "",
  message: "{{#is_alert}}{{monitor.name}}: {{value}} {{reason}}\n{{processes}}{{/is_alert}}\n{{#is_recovery}}It is over.{{/is_recovery}}",
  tags: "",
  priority: "",
  missing: "",
  isDraft: false,
};

/** Of the search of a view: alerts when none of these processes runs, or when one ends as the search says. */
export function draftOfSearch({ search, over }: Pick<Carried, "search" | "over">): Written {
  const what = [search, ...over].filter((part) => part !== "").join(" ").slice(0, 200);
  const found = { ...EMPTY, search, over: over.join(", ") };
  if (asksForEndings(search)) {
    return { draft: { ...found, name: what, function: "count", comparison: ">", critical: "0" }, begun: null };
  }
  return { draft: { ...found, name: what === "" ? "" : `${what} is gone` }, begun: null };
}

export function draftOf(monitor: MonitorBody | Monitor, query: QueryParts): Written {
  const { thresholds, ...options } = monitor.options;
  const draft: Draft = {
    ...EMPTY,
    ...fieldsOf(options),
    name: monitor.name,
    search: query.search,
    // What is read alike is changed in the language of the rest of the page.
    language: isInBoth(query.search) ? "procession" : query.language,
    over: query.over.join(", "),
    by: query.by.join(", "),
    function: query.function,
    measure: query.measure ?? EMPTY.measure,
    window: query.window_seconds > 0 ? timeframe(query.window_seconds) : EMPTY.window,
    comparison: query.comparison,
    critical: shownNumber(query.threshold),
    warning: shownNumber(thresholds?.warning),
    criticalRecovery: shownNumber(thresholds?.critical_recovery),
    warningRecovery: shownNumber(thresholds?.warning_recovery),
    message: monitor.message,
    tags: monitor.tags.join(", "),
    priority: shownNumber(monitor.priority),
    missing: missingOf(options),
    isDraft: monitor.draft_status === "draft",
  };
  return { draft, begun: { draft, body: monitor } };
}

/** A clone begins as a draft of another name, and without the mutes. */
export function cloneOf({ draft, begun }: Written): Written {
  return {
    draft: { ...draft, name: `${draft.name} (copy)`, isDraft: true },
    begun: begun && { ...begun, body: { ...begun.body, options: { ...begun.body.options, silenced: {} } } },
  };
}

export function queryOf(draft: Draft): string {
  return queryText({
    search: draft.search,
    language: draft.language,
    over: listOf(draft.over),
    by: listOf(draft.by),
    function: draft.function,
    measure: draft.measure,
    window: draft.window.trim(),
    comparison: draft.comparison,
    threshold: draft.critical,
  });
}

export function bodyOf({ draft, begun }: Written): MonitorBody {
  const query = queryOf(draft);
  return {
    type: "process alert",
    name: draft.name,
    // As it was written, and not as the form would write it.
    query: begun !== null && query === queryOf(begun.draft) ? begun.body.query : query,
    message: draft.message,
    tags: begun !== null && draft.tags === begun.draft.tags ? begun.body.tags : listOf(draft.tags),
    priority: draft.priority === "" ? null : Number(draft.priority),
    draft_status: draft.isDraft ? "draft" : "published",
    options: optionsOf(draft, begun === null ? null : begun.body.options),
  };
}

function optionsOf(draft: Draft, kept: MonitorOptions | null): MonitorOptions {
  const { thresholds, ...others } = withFields(kept ?? {}, draft);
  const options: MonitorOptions = others;
  const found = thresholdsOf(draft, thresholds);
  // The number of the query says it already, where nobody sent it besides.
  const isSaid = kept === null || thresholds != null || Object.keys(found).length > 1;
  if (isSaid || thresholds === null) options.thresholds = isSaid ? found : null;
  if (draft.missing === missingOf(kept ?? {})) return options;
  // The older of two options that say the same; both together are refused.
  options.notify_no_data = false;
  options.on_missing_data = draft.missing === "" ? null : draft.missing;
  return options;
}

/** "": as the server has it. */
function missingOf(options: MonitorOptions): string {
  const asked = options.on_missing_data;
  if (typeof asked === "string") return asked === "default" ? "" : asked;
  return options.notify_no_data === true ? "show_and_notify_no_data" : "";
}

/** `kept`: as they were sent, with those that the form has no field for and those that are null. */
export function thresholdsOf(draft: Draft, kept?: Thresholds | null): Thresholds {
  const isExact = draft.comparison === "==" || draft.comparison === "!=";
  const fields: [keyof Thresholds, string][] = [
    ["critical", draft.critical],
    ["warning", isExact ? "" : draft.warning],
    ["critical_recovery", isExact ? "" : draft.criticalRecovery],
    ["warning_recovery", isExact ? "" : draft.warningRecovery],
  ];
  const found = new Map<string, unknown>(Object.entries(kept ?? {}));
  for (const [name, text] of fields) {
    if (name === "critical" && kept != null && kept.critical == null) continue;
    if (text.trim() !== "") found.set(name, numberOrText(text));
    else if (found.get(name) !== null) found.delete(name);
  }
  return Object.fromEntries(found);
}

/** A large one with all of its digits, as a query has them. */
function shownNumber(value: unknown): string {
  if (typeof value !== "number") return "";
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}

export function listOf(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
