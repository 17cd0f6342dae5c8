/** Names of machines that may be broken into, in every part that shows some: they are text, and nothing of them runs. */

import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactElement } from "react";
import { expect, test, vi } from "vitest";

import { CompareTab } from "../compare/CompareTab";
import { ContainersTab } from "../containers";
import { GraphsTab } from "../graphs/GraphsTab";
import { GroupsTab } from "../groups/GroupsTab";
import { ProcessPanel } from "../panel/ProcessPanel";
import { ScatterTab } from "../scatter/ScatterTab";
import { someProcess } from "../test/processes";
import { answering, AT, renderPart } from "../test/rendering";
import { SavedViews } from "../views/SavedViews";

const EVIL = `"><img src=x onerror="window.ran=1"><script>window.ran=1</script>\u001b]0;x\u0007\u202e`;
const SHOWN = /<img src=x onerror="window.ran=1"><script>window.ran=1<\/script>/;

const process = someProcess("01", {
  cmdline: EVIL,
  user: EVIL,
  host: EVIL,
  exe: EVIL,
  cwd: EVIL,
  container_id: EVIL,
  comm: EVIL,
  tags: [EVIL, `command:${EVIL}`, `container:${EVIL}`],
});
const group = { value: EVIL, count: 1, numbers: {} };
const container = {
  type: "container",
  id: EVIL,
  attributes: {
    host: EVIL,
    name: EVIL,
    runtime: EVIL,
    image_name: EVIL,
    image_tags: [EVIL],
    image_digest: EVIL,
    state: "running",
    health: "unknown",
    created_at: null,
    started_at: null,
    timestamp: "2026-03-02T14:00:00",
    tags: [EVIL],
    processes: 1,
    numbers: {},
  },
};
const side = { at: AT, total: 1, known: true, silent: 0, silent_hosts: [] };
const counts = { started: 1, ended: 1, changed: 1, same: 0 };
const one = { min: [1], avg: [1], max: [1], max_at: [AT] };

const PARTS: Record<string, [ReactElement, Record<string, object>, string]> = {
  groups: [<GroupsTab key="" />, { "/groups": { meta: { known: true, at: AT, by: EVIL, total: 1, groups: 1 }, data: [group] } }, ""],
  containers: [
    <ContainersTab key="" />,
    {
      "/containers": { meta: { at: EVIL, total: 1, known: true }, data: [container] },
      "/containers/history": {
        meta: { from: "", to: "", step: 60 },
        times: ["2026-03-02T14:00:00"],
        numbers: { cpu_total_percent: [1] },
      },
    },
    `?x.container=${encodeURIComponent(EVIL)}&x.containerhost=${encodeURIComponent(EVIL)}`,
  ],
  graphs: [
    <GraphsTab key="" />,
    {
      "/trends": {
        meta: { known: true, from: AT - 900, to: AT, step: 10, instants: true, by: EVIL },
        times: [AT],
        trends: [{ value: EVIL, is_rest: false, count: one, numbers: { cpu_total_percent: one } }],
      },
    },
    "",
  ],
  scatter: [
    <ScatterTab key="" />,
    {
      "/points": {
        meta: { known: true, at: AT, total: 1, x: "threads", y: "threads", by: "a" },
        groups: [EVIL],
        points: { id: ["01"], x: [1], y: [1], group: [0] },
      },
    },
    "",
  ],
  "compare processes": [
    <CompareTab key="" />,
    {
      "/compare": {
        meta: { left: side, right: side, match: "process", ...counts },
        started: [process],
        ended: [process],
        changed: [{ before: someProcess("01"), after: process, fields: ["cmdline", "tags", "user"] }],
      },
    },
    "?x.show=changed",
  ],
  "compare groups": [
    <CompareTab key="" />,
    {
      "/compare": {
        meta: { left: side, right: side, match: "command", ...counts },
        started: [group],
        ended: [],
        changed: [],
      },
    },
    "",
  ],
  panel: [<ProcessPanel key="" id="01" onClose={vi.fn()} />, { "/processes/01": { data: process } }, ""],
  runs: [
    <ProcessPanel key="" id="01" onClose={vi.fn()} />,
    {
      "/processes/01": { data: process },
      "/processes/01/runs": { data: [{ ...process, last_seen: AT, same_cmdline: false }] },
    },
    "?x.panel=runs",
  ],
  tree: [
    <ProcessPanel key="" id="01" onClose={vi.fn()} />,
    {
      "/processes/01": { data: process },
      "/processes/01/tree": {
        meta: { at: AT, host: EVIL },
        ancestors: [],
        process: { ...process, depth: 0 },
        descendants: [{ ...process, id: "02", depth: 1 }],
      },
    },
    "?x.panel=tree",
  ],
};

test.each(Object.keys(PARTS))("%s shows hostile names as text", async (name) => {
  const [part, answers, address] = PARTS[name] ?? [];
  answering(answers ?? {});
  window.history.replaceState(null, "", `/${address ?? ""}`);
  const { container } = renderPart(part);

  expect((await screen.findAllByText(SHOWN)).length).toBeGreaterThan(0);
  expect(container.querySelector("img, script")).toBeNull();
  expect(["\u001b", "\u0007", "\u202e"].filter((character) => container.textContent.includes(character))).toEqual([]);
  expect("ran" in window).toBe(false);
});

test("saved views show hostile names as text", async () => {
  answering({ "/views": { views: [{ name: EVIL, state: "q=x", changed_at: AT }] } });
  renderPart(<SavedViews />);
  await userEvent.click(screen.getByRole("button", { name: "Views" }));

  expect(await screen.findByText(SHOWN)).toBeVisible();
  expect(document.querySelector("img, script")).toBeNull();
});
