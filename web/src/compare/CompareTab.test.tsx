import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { answering, AT, query, renderPage } from "../test/page";
import { someProcess } from "../test/processes";
import { CompareTab } from "./CompareTab";

const meta = {
  left: { at: AT - 3600, total: 300 },
  right: { at: AT, total: 301 },
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
  renderPage(<CompareTab />);

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

test("two hosts: chosen by name, kept in the address, and compared by command", async () => {
  const group = (count: number) => ({ count, numbers: { rss_bytes: { sum: 1_048_576, max: 1, known: count } } });
  const asked = answering({
    "/facets": { meta: {}, facets: [{ key: "host", values: [{ value: "web-1", count: 3 }] }] },
    "/compare": {
      meta: { ...meta, left: { at: AT, total: 3 }, right: { at: AT, total: 4 }, match: "command", started: 0 },
      started: [],
      ended: [],
      changed: [{ value: "nginx", before: group(4), after: group(6) }],
    },
  });
  renderPage(<CompareTab />);
  await userEvent.click(screen.getByRole("radio", { name: "Hosts" }));

  expect(screen.getByText("Choose two hosts")).toBeVisible();

  await userEvent.type(screen.getByRole("combobox", { name: "Left" }), "web-1{Enter}");
  await userEvent.type(screen.getByRole("combobox", { name: "Right" }), "web-2{Enter}");
  await userEvent.click(await screen.findByRole("tab", { name: "Changed 1" }));

  expect(screen.getByRole("row", { name: /nginx 4 6 \+2/ })).toBeVisible();
  expect(query()).toContain("x.cmp=hosts&x.left=web-1");
  expect(asked.at(-1)?.params).toMatchObject({ host: "web-1", other_host: "web-2", match: "command" });
});

test.each([
  ["left", false, true],
  ["right", true, false],
])("a %s side of which nothing is known is said to be", async (side, left, right) => {
  answering({
    "/compare": {
      meta: { ...meta, left: { ...meta.left, known: left }, right: { ...meta.right, known: right } },
      started: [],
      ended: [],
      changed: [],
    },
  });
  renderPage(<CompareTab />);

  expect(await screen.findByText(new RegExp(`Nothing is known of the ${side} side`))).toBeVisible();
});
