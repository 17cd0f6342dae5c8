import { expect, test } from "vitest";

import type { Monitor, MonitorOptions, QueryParts } from "../../api/monitors";
import { bodyOf, cloneOf, draftOf, draftOfSearch, type Draft } from "./draft";

const query: QueryParts = {
  search: "nginx",
  language: "datadog",
  over: ["env:prod"],
  by: ["host", "command"],
  function: "count",
  measure: null,
  window_seconds: 300,
  comparison: ">",
  threshold: 5,
};
const monitor = {
  type: "process alert",
  name: "Many",
  query: "processes('nginx').over('env:prod').by('host','command').rollup('count').last('5m') > 5",
  message: "@slack-ops",
  tags: ["team:web"],
  priority: 2,
  draft_status: "published",
  options: {
    thresholds: { critical: 5, warning: 3, critical_recovery: 4 },
    silenced: { "*": null },
    timeout_h: 2,
    notify_no_data: true,
  },
} satisfies Partial<Monitor>;

/** Each option that a server keeps, with a value that is not its default. */
const OPTIONS: MonitorOptions = {
  thresholds: { critical: 5, warning: null, critical_recovery: 4.5, ok: 1 },
  silenced: { "*": null, "host:a": 7 },
  evaluation_delay: 700,
  new_group_delay: 500,
  new_host_delay: 0,
  no_data_timeframe: 10,
  notify_no_data: true,
  renotify_interval: 60,
  renotify_occurrences: 5,
  renotify_statuses: ["warn", "alert"],
  timeout_h: 1,
  escalation_message: "up @slack-ops",
  require_full_window: true,
  include_tags: false,
  notify_audit: true,
  locked: true,
  notification_preset_name: "hide_query",
  group_retention_duration: "2d",
  expected_groups: "had_processes",
  on_missing_data: null,
  variables: [],
};

test("a monitor that is opened and saved is the same, with its own spelling of query and tags", () => {
  const query_text = `processes( "nginx" ).over('env:prod').by('host','command').rollup('count').last('300s') > 5.0`;
  const whole = { ...monitor, query: query_text, tags: ["team:web", "a, b"], options: OPTIONS };

  expect(bodyOf(draftOf(whole, query))).toEqual(whole);
});

test.each([
  [{}],
  [{ thresholds: null, renotify_statuses: null, timeout_h: null }],
  [{ thresholds: { critical: null, warning: 3 } }],
  [{ thresholds: { warning: 3 } }],
  [{ on_missing_data: "default" }],
  [{ on_missing_data: "resolve", notify_no_data: false }],
])("options that say nothing, or in another way, are left as they are: %j", (options) => {
  expect(bodyOf(draftOf({ ...monitor, options }, query)).options).toEqual(options);
});

test("a field that is changed changes its option, and one that is emptied leaves none", () => {
  const written = draftOf({ ...monitor, options: OPTIONS }, query);
  const set = (change: Partial<Draft>) => bodyOf({ ...written, draft: { ...written.draft, ...change } }).options;

  expect(set({ timeoutHours: "24" })).toEqual({ ...OPTIONS, timeout_h: 24 });
  expect(set({ renotifyStatuses: ["no data"] })).toEqual({ ...OPTIONS, renotify_statuses: ["no data"] });
  expect(set({ requireFullWindow: false })).toEqual({ ...OPTIONS, require_full_window: false });
  expect(set({ evaluationDelay: "soon" })).toEqual({ ...OPTIONS, evaluation_delay: "soon" });
  const { evaluation_delay, renotify_statuses, escalation_message, ...left } = OPTIONS;
  expect([evaluation_delay, renotify_statuses, escalation_message]).not.toContain(undefined);
  expect(set({ evaluationDelay: " ", renotifyStatuses: [], escalationMessage: "" })).toStrictEqual(left);
  expect(set({ missing: "resolve" })).toEqual({ ...OPTIONS, notify_no_data: false, on_missing_data: "resolve" });
  expect(set({ missing: "" })).toEqual({ ...OPTIONS, notify_no_data: false, on_missing_data: null });
});

test("a new monitor has the options that were written, and no others", () => {
  const { draft } = draftOfSearch({ search: "java", over: [] });
  const set = (change: Partial<Draft>) => bodyOf({ draft: { ...draft, ...change }, begun: null });

  expect(set({}).options).toEqual({ thresholds: { critical: 1 } });
  expect(set({ noDataMinutes: "5", expectedGroups: "tagged_hosts" }).options).toEqual({
    thresholds: { critical: 1 },
    no_data_timeframe: 5,
    expected_groups: "tagged_hosts",
  });
  expect(set({ priority: "3" }).priority).toBe(3);
});

test("a clone has another name, is a draft, and is not muted", () => {
  const body = bodyOf(cloneOf(draftOf(monitor, query)));

  expect(body).toMatchObject({ name: "Many (copy)", draft_status: "draft", options: { silenced: {}, timeout_h: 2 } });
});

test("thresholds that are left empty, and those that == has not, are not sent", () => {
  const written = draftOf(monitor, query);
  const set = (change: object) => bodyOf({ ...written, draft: { ...written.draft, ...change } }).options.thresholds;

  expect(set({ warning: " ", criticalRecovery: "" })).toEqual({ critical: 5 });
  expect(set({ comparison: "==" })).toEqual({ critical: 5 });
});

test("a search that both languages read alike is changed in our own, any other in the one it was written in", () => {
  const changed = (search: string) => {
    const { draft, begun } = draftOf(monitor, { ...query, search });
    return bodyOf({ draft: { ...draft, search: "java" }, begun }).query;
  };

  expect(changed("command:nginx")).toContain("processes('java').language('procession').over(");
  expect(changed("nginx")).toContain("processes('java').over(");
});

test("a search that asks how processes ended becomes a monitor of those that end so", () => {
  const body = bodyOf(draftOfSearch({ search: "java ended:oom", over: ["env:prod"] }));

  const query = "processes('java ended:oom').language('procession').over('env:prod').rollup('count').last('5m') > 0";
  expect(body.query).toBe(query);
  expect(body.name).toBe("java ended:oom env:prod");
});

test("a search becomes a monitor of its absence", () => {
  const body = bodyOf(draftOfSearch({ search: "java", over: ["env:prod"] }));

  expect(body.query).toBe("processes('java').language('procession').over('env:prod').rollup('count_now') < 1");
  expect(body.name).toBe("java env:prod is gone");
});
