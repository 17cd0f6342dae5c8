import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { someProcess } from "../test/processes";
import { answering, AT, query, renderPart } from "../test/rendering";
import { CompareTab } from "./CompareTab";

const side = (at: number, total: number, silentHosts: string[] = []) => ({
  at,
  total,
  known: true,
  silent: silentHosts.length,
  silent_hosts: silentHosts,
});

const meta = {
  left: side(AT - 3600, 300),
  right: side(AT, 301),
  match: "process",
  started: 2,
  ended: 1,
  changed: 1,
  same: 298,
};

test("two instants: what started, what ended, what changed", async () => {
  const asked = answering({
    "/compare": {
      meta,
      started: [someProcess("1", { tags: ["command:cron"] })],
      ended: [someProcess("2", { tags: ["command:nginx"] })],
      changed: [
        {
          before: someProcess("3", { user: "root", tags: ["command:x"] }),
          after: someProcess("3", { user: "shop", tags: ["command:x"] }),
          fields: ["user"],
        },
      ],
    },
  });
  renderPart(<CompareTab />);

  expect(await screen.findByRole("button", { name: /^cron/ })).toBeVisible();
  expect(screen.getByText(/298 are the same/)).toBeVisible();
  expect(screen.getByText(/The 1 with the most memory/)).toBeVisible();
  expect(asked[0]?.params).toMatchObject({ at: String(AT - 3600), other_at: String(AT), match: "process" });

  await userEvent.click(screen.getByRole("tab", { name: "Ended 1" }));

  expect(screen.getByRole("button", { name: /^nginx/ })).toBeVisible();

  await userEvent.click(screen.getByRole("tab", { name: "Changed 1" }));

  expect(within(screen.getByRole("deletion")).getByText("root")).toBeVisible();
  expect(within(screen.getByRole("insertion")).getByText("shop")).toBeVisible();
});

test("the same change is said once, with the hosts that have it", async () => {
  const change = (host: string) => ({
    before: someProcess(`${host}0`, { host, tags: ["command:java", "version:1"] }),
    after: someProcess(host, { host, tags: ["command:java", "version:2"] }),
    fields: ["tags"],
  });
  const started = ["web-4", "web-2", "web-3", "web-1"].map((host) => someProcess(`s${host}`, { host }));
  answering({
    "/compare": { meta: { ...meta, started: 4, changed: 2 }, started, ended: [], changed: [change("web-1"), change("web-2")] },
  });
  renderPart(<CompareTab />);

  const row = await screen.findByRole("row", { name: /4 processes shop web-1, web-2, web-3 and 1 more 6\.0% 4\.0 MiB/ });
  await userEvent.click(within(row).getByRole("button"));
  expect(screen.getAllByRole("row")).toHaveLength(6);
  await userEvent.click(screen.getByRole("tab", { name: "Changed 2" }));

  expect(screen.getAllByRole("deletion")).toHaveLength(1);
  expect(screen.getByText(/2 processes on/)).toHaveTextContent("2 processes on web-1, web-2");
});

test("two hosts: chosen by name, kept in the address, and compared by command", async () => {
  const group = (count: number) => ({ count, numbers: { rss_bytes: { sum: 1_048_576, max: 1, known: count } } });
  const asked = answering({
    "/facets": { meta: { known: true }, facets: [{ key: "host", values: [{ value: "web-1", count: 3 }] }] },
    "/compare": {
      meta: { ...meta, left: side(AT, 3), right: side(AT, 4), match: "command", started: 0 },
      started: [],
      ended: [],
      changed: [{ value: "nginx", before: group(4), after: group(6) }],
    },
  });
  renderPart(<CompareTab />);
  await userEvent.click(screen.getByRole("radio", { name: "Hosts" }));

  expect(screen.getByText("Choose two hosts")).toBeVisible();

  await userEvent.type(screen.getByRole("combobox", { name: "Left" }), "web-1{Enter}");
  await userEvent.type(screen.getByRole("combobox", { name: "Right" }), "web-2{Enter}");
  await userEvent.click(await screen.findByRole("tab", { name: "Changed 1" }));

  expect(screen.getByRole("row", { name: /nginx 4 6 \+2/ })).toBeVisible();
  expect(query()).toContain("x.cmp=hosts&x.left=web-1");
  expect(asked.at(-1)?.params).toMatchObject({ host: "web-1", other_host: "web-2", match: "command" });
});

test("a side of which nothing is known is said to be so, and not that it had no processes", async () => {
  const left = { ...side(AT - 3600, 0), known: false };
  answering({
    "/compare": {
      meta: { ...meta, left, started: 0, ended: 0, changed: 0, same: 0 },
      started: [],
      ended: [],
      changed: [],
    },
  });
  renderPart(<CompareTab />);

  expect(await screen.findByText("No data for one of the sides")).toBeVisible();
  expect(screen.getByText(/no data for .*on the left, 301 processes at/)).toBeVisible();
  expect(screen.queryByText(/0 processes/)).toBeNull();
});

test("hosts that only one side knows of are named", async () => {
  answering({
    "/compare": {
      meta: { ...meta, left: side(AT - 3600, 300, ["web-3", "web-4", "web-5"]) },
      started: [],
      ended: [],
      changed: [],
    },
  });
  renderPart(<CompareTab />);

  expect(await screen.findByText(/No data on the left for/)).toHaveTextContent(
    "No data on the left for web-3 and 2 more hosts: left out of the differences.",
  );
  expect(screen.queryByText(/No data on the right/)).toBeNull();
});
