import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { answering, AT, failure, renderPart } from "../test/rendering";
import { MonitorsTab } from "./MonitorsTab";

const ALL = ["monitors_read", "monitors_write", "monitors_downtime", "manage_integrations"];
const EVIL = `"><img src=x onerror="window.ran=1">\u202e`;
const monitor = {
  id: 7,
  type: "process alert",
  name: EVIL,
  query: "processes('x').rollup('count_now') < 1",
  message: EVIL,
  tags: [EVIL],
  options: { silenced: {} },
  overall_state: "Alert",
  overall_state_modified: null,
  creator: { name: EVIL },
};
const group = {
  group: `command:${EVIL}`,
  tags: { command: EVIL },
  state: "Alert",
  reason: "process gone",
  value: 0,
  since: 1_772_460_000,
  last_seen_at: null,
  hosts: [],
  processes: [EVIL],
  is_muted: false,
  scope: "command:x",
};
const ANSWERS = {
  "/session": { org: "main", scopes: ALL },
  "/notifications": { notifications: [] },
  "/api/v1/monitor": [monitor],
  "/api/v1/monitor/7": monitor,
  "/monitors/groups": { groups: [group] },
  "/monitors/transitions": { transitions: [] },
  "/monitors/query": { search: "x", language: "datadog", over: [], by: [], function: "count_now", measure: null, window_seconds: 0, comparison: "<", threshold: 1 },
  "/monitors/backtest": { from: 0, to: 60, step_seconds: 60, transitions: [], times: [0], curves: [] },
};

test("who may not read monitors is told so", async () => {
  answering({ "/session": { org: "main", scopes: [] } });
  renderPart(<MonitorsTab />);

  expect(await screen.findByText("Your key may not read monitors")).toBeVisible();
});

test("without any monitor the page says how to make one", async () => {
  answering({ ...ANSWERS, "/api/v1/monitor": [] });
  renderPart(<MonitorsTab />);

  expect(await screen.findByText("No monitor yet")).toBeVisible();
});

test("what the server says against it is shown", async () => {
  answering({ ...ANSWERS, "/api/v1/monitor": () => failure(400, "not like this") });
  renderPart(<MonitorsTab />);

  expect(await screen.findByRole("alert")).toHaveTextContent("not like this");
});

test("who may read only is offered no change", async () => {
  answering({ ...ANSWERS, "/session": { org: "main", scopes: ["monitors_read"] } });
  window.history.replaceState(null, "", "/?tab=monitors&x.monitor=7");
  renderPart(<MonitorsTab />);

  expect(await screen.findByText("process gone")).toBeVisible();
  expect(screen.queryByRole("button", { name: /Mute|Edit|Delete|Clone/ })).toBeNull();
  expect(screen.getByRole("button", { name: "Monitor this search" })).toBeDisabled();
});

test("hostile names are text, and one of them is muted by its scope", async () => {
  const asked = answering({ ...ANSWERS, "/api/v1/monitor/7/mute": monitor });
  window.history.replaceState(null, "", "/?tab=monitors&x.monitor=7");
  const { container } = renderPart(<MonitorsTab />);

  await userEvent.click(await screen.findByRole("button", { name: /^Mute command:/ }));
  await userEvent.click(await screen.findByText("Until it is unmuted"));

  await screen.findAllByText(/img src=x/);
  expect(asked.find(({ path }) => path.endsWith("/mute"))?.body).toEqual({ scope: "command:x" });
  expect(container.querySelector("img, script")).toBeNull();
  expect(container.textContent).not.toContain("\u202e");
  expect("ran" in window).toBe(false);
});

test("a rare option of a monitor made by others is shown, changed, and sent with all the others", async () => {
  const options = { silenced: {}, thresholds: { critical: 1 }, new_host_delay: 300, no_data_timeframe: 10, include_tags: false };
  const asked = answering({ ...ANSWERS, "/api/v1/monitor/7": { ...monitor, options } });
  window.history.replaceState(null, "", "/?tab=monitors&x.monitors=edit&x.monitor=7");
  renderPart(<MonitorsTab />);

  const field = await screen.findByLabelText("No Data after minutes of silence");
  expect(field).toBeVisible();
  expect(field).toHaveValue("10");
  await userEvent.clear(field);
  await userEvent.type(screen.getByLabelText("Ends after hours of silence"), "2");
  await userEvent.click(screen.getByRole("button", { name: "Save the changes" }));

  const put = asked.find(({ method }) => method === "PUT");
  expect(put?.body).toMatchObject({
    query: monitor.query,
    tags: monitor.tags,
    options: { silenced: {}, thresholds: { critical: 1 }, new_host_delay: 300, include_tags: false, timeout_h: 2 },
  });
  expect(put?.body).not.toHaveProperty("options.no_data_timeframe");
});

test("what came late out of a spool says of a transition is in its row", async () => {
  const one = {
    monitor_id: 7,
    monitor_name: "a",
    at: AT - 60,
    kind: "triggered",
    group: "host:web-1",
    tags: { host: "web-1" },
    previous: "OK",
    state: "Alert",
    value: 0,
    threshold: 1,
    reason: "process gone",
    processes: [],
    cycle_key: "k",
    late: null,
  };
  const transitions = [one, { ...one, at: AT - 120, late: "added" }, { ...one, at: AT - 180, late: "refuted" }];
  answering({ ...ANSWERS, "/monitors/transitions": { transitions } });
  window.history.replaceState(null, "", "/?tab=monitors&x.monitor=7");
  renderPart(<MonitorsTab />);

  const happened = await screen.findByRole("region", { name: "Table of what happened" });
  const rows = within(happened).getAllByRole("row").slice(1);
  expect(rows[0]).not.toHaveTextContent("later");
  expect(rows[1]).toHaveTextContent("added later from a spool");
  expect(rows[2]).toHaveTextContent("refuted later");
});
