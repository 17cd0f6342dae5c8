/** What the server answers about monitors, and about those who are told of them; docs/monitors.md has the meaning. */

export type MonitorState = "OK" | "Alert" | "Warn" | "No Data" | "Skipped" | "Ignored" | "Unknown";

export type Scopes = "monitors_read" | "monitors_write" | "monitors_downtime" | "manage_integrations";

export interface Session {
  org: string;
  scopes: string[];
  /** Of whom has given a password; missing for a key. */
  user?: string;
  role?: string;
}

export interface Thresholds {
  critical?: number | null;
  warning?: number | null;
  critical_recovery?: number | null;
  warning_recovery?: number | null;
  /** Of service checks; kept. */
  ok?: number | null;
  unknown?: number | null;
}

/** All that a monitor has is kept, also what the page does not know. */
export type MonitorOptions = Record<string, unknown> & {
  thresholds?: Thresholds | null;
  silenced?: Record<string, number | null>;
};

/** What is sent to make a monitor. */
export interface MonitorBody {
  type: "process alert";
  name: string;
  query: string;
  message: string;
  tags: string[];
  priority?: number | null;
  draft_status?: "draft" | "published";
  options: MonitorOptions;
}

export interface Monitor extends MonitorBody {
  id: number;
  overall_state: MonitorState;
  overall_state_modified: string | null;
  modified: string;
  creator: { name: string };
}

export type MonitorFunction = "count" | "count_now" | "sum" | "max" | "starts" | "first_seen";
export type Comparison = "<" | "<=" | ">" | ">=" | "==" | "!=";

export interface QueryParts {
  search: string;
  language: "datadog" | "procession";
  over: string[];
  by: string[];
  function: MonitorFunction;
  measure: string | null;
  window_seconds: number;
  comparison: Comparison;
  threshold: number;
}

export interface MonitorGroup {
  group: string;
  tags: Record<string, string>;
  state: MonitorState;
  reason: string;
  value: number | null;
  since: number;
  last_seen_at: number | null;
  hosts: string[];
  processes: string[];
  is_muted: boolean;
  /** By which this group alone is muted. */
  scope: string;
}

export interface Transition {
  monitor_id: number;
  monitor_name: string;
  at: number;
  kind: string;
  group: string;
  tags: Record<string, string>;
  previous: MonitorState;
  state: MonitorState;
  value: number | null;
  threshold: number | null;
  reason: string;
  processes: string[];
  cycle_key: string;
  late: "added" | "refuted" | null;
}

export interface Backtest {
  from: number;
  to: number;
  step_seconds: number;
  transitions: Transition[];
  times: number[];
  curves: { group: string; tags: Record<string, string>; values: (number | null)[] }[];
}

export interface Starter {
  id: string;
  about: string;
  monitor: MonitorBody;
}

export type ChannelKind = "email" | "slack" | "pagerduty" | "alertmanager" | "webhook";

export interface Channel {
  kind: ChannelKind;
  name: string;
  handle: string;
  addresses?: string[];
  url?: string;
  is_failing: boolean;
  error: string;
  tried_at: number | null;
}

export interface Webhook {
  name: string;
  url: string;
  payload: string | null;
  custom_headers: string | null;
  encode_as: "json" | "form";
}

export interface Notification {
  id: string;
  channel: string;
  monitor_id: number;
  title: string;
  created_at: number;
  delivery: "waiting" | "sent" | "failed" | "muted" | "digested";
  attempts: number;
  next_at: number | null;
  error: string;
  cycle_key: string;
}

export interface SentTest {
  cycle_key: string;
  sent_to: string[];
  unknown?: string[];
}
