/** The options of a monitor that have a field of their own in the form <-> what is sent. */

import type { MonitorOptions } from "../../api/monitors";

export interface OptionFields {
  renotifyMinutes: string;
  renotifyOccurrences: string;
  renotifyStatuses: string[];
  escalationMessage: string;
  noDataMinutes: string;
  timeoutHours: string;
  evaluationDelay: string;
  newGroupDelay: string;
  newHostDelay: string;
  requireFullWindow: boolean;
  groupRetention: string;
  expectedGroups: string;
}

type Field = keyof OptionFields;

/** As Datadog and docs/monitors.md name them. */
const NAMES: Record<Field, string> = {
  renotifyMinutes: "renotify_interval",
  renotifyOccurrences: "renotify_occurrences",
  renotifyStatuses: "renotify_statuses",
  escalationMessage: "escalation_message",
  noDataMinutes: "no_data_timeframe",
  timeoutHours: "timeout_h",
  evaluationDelay: "evaluation_delay",
  newGroupDelay: "new_group_delay",
  newHostDelay: "new_host_delay",
  requireFullWindow: "require_full_window",
  groupRetention: "group_retention_duration",
  expectedGroups: "expected_groups",
};
const FIELDS = Object.keys(NAMES) as Field[];
const WORDS: ReadonlySet<Field> = new Set<Field>(["escalationMessage", "groupRetention", "expectedGroups"]);

export const NO_OPTIONS: OptionFields = {
  renotifyMinutes: "",
  renotifyOccurrences: "",
  renotifyStatuses: [],
  escalationMessage: "",
  noDataMinutes: "",
  timeoutHours: "",
  evaluationDelay: "",
  newGroupDelay: "",
  newHostDelay: "",
  requireFullWindow: false,
  groupRetention: "",
  expectedGroups: "",
};

export function fieldsOf(options: MonitorOptions): OptionFields {
  const shown = (field: Field): unknown => {
    const [value, empty] = [options[NAMES[field]], NO_OPTIONS[field]];
    if (Array.isArray(empty)) return Array.isArray(value) ? value.filter((one) => typeof one === "string") : empty;
    if (typeof empty === "boolean") return value === true;
    return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
  };
  return Object.fromEntries(FIELDS.map((field) => [field, shown(field)])) as unknown as OptionFields;
}

/** `kept` with the fields that differ from what `kept` says; one that is left empty is no option at all. */
export function withFields(kept: MonitorOptions, fields: OptionFields): MonitorOptions {
  const before = fieldsOf(kept);
  const changed = FIELDS.filter((field) => String(fields[field]) !== String(before[field]));
  const names = new Set(changed.map((field) => NAMES[field]));
  const options = Object.fromEntries(Object.entries(kept).filter(([name]) => !names.has(name))) as MonitorOptions;
  for (const field of changed) {
    const value = sent(field, fields[field]);
    if (value !== undefined) options[NAMES[field]] = value;
  }
  return options;
}

function sent(field: Field, value: string | boolean | string[]): unknown {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return value.length > 0 ? value : undefined;
  if (value.trim() === "") return undefined;
  return WORDS.has(field) ? value : numberOrText(value);
}

/** What is no number is sent as it is: the server says what is wrong with it. */
export function numberOrText(text: string): number | string {
  const number = Number(text.trim());
  return Number.isFinite(number) ? number : text;
}
