import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { answering, AT, query, renderPart } from "../test/rendering";
import { HostsTab } from "./HostsTab";

const host = {
  host: "web-1",
  processes: 300,
  seen_at: AT - 5,
  state: "up",
  booted_at: AT - 5 - 3 * 86400,
  agent_version: "7.60.1",
  tags: ["env:prod", "rack:7"],
  numbers: {
    cpu_total_percent: { sum: 250, max: 90, known: 300 },
    rss_bytes: { sum: 1_073_741_824, max: 1, known: 300 },
  },
};
const silent = [
  { host: "db-2", seen_at: AT - 4000, state: "silent", tags: [] },
  { host: "db-3", seen_at: AT - 7000, state: "shut down", tags: [] },
];
const meta = { known: true, at: AT, total: 1, oldest: AT - 86400 };
const hosts = (asked: { params: Record<string, string> }) =>
  asked.params.silent_hours === undefined ? { meta, data: [host] } : { meta, data: [], silent };

const rowOf = async (name: RegExp) => within(await screen.findByRole("row", { name }));

test("a host has its processes, what they use, its agent, its boot and its tags", async () => {
  const asked = answering({ "/hosts": hosts });
  window.history.replaceState(null, "", "/?tags=env:prod");
  renderPart(<HostsTab />);

  const row = await rowOf(/web-1/);

  for (const text of ["up", "300", "2.50 cores", "1.0 GiB", "7.60.1", "(3 d)", "env:prod, rack:7"]) {
    expect(row.getByText(text)).toBeVisible();
  }
  expect(asked.find(({ params }) => params.silent_hours === undefined)?.params).toMatchObject({
    tags: "env:prod",
    sort: "host",
  });
});

test("what nobody told is a dash", async () => {
  answering({ "/hosts": { meta, data: [{ ...host, booted_at: null, agent_version: null, tags: [], numbers: {} }] } });
  renderPart(<HostsTab />);

  expect((await rowOf(/web-1/)).getAllByText("–").length).toBe(5);
});

test("silent hosts come first, and say since when", async () => {
  answering({ "/hosts": hosts });
  renderPart(<HostsTab />);

  expect((await rowOf(/db-2/)).getByText(/silent since/)).toBeVisible();
  expect((await rowOf(/db-3/)).getByText(/shut down, last seen/)).toBeVisible();
  expect(screen.getAllByRole("row").map((row) => row.textContent.slice(0, 5))).toEqual(["Host ", "db-2s", "db-3s", "web-1"]);
  expect(screen.getByText(/1 host with processes that match/)).toHaveTextContent("2 told of their processes");
});

test("a click leads to the processes of a host, and to the last ones of a silent one", async () => {
  answering({ "/hosts": hosts });
  window.history.replaceState(null, "", "/?tab=hosts&tags=host:other,env:prod");
  renderPart(<HostsTab />);

  await userEvent.click((await rowOf(/web-1/)).getByRole("button"));

  expect(query()).toBe("?tags=env:prod,host:web-1");

  await userEvent.click((await rowOf(/db-2/)).getByRole("button"));

  expect(query()).toBe(`?tags=env:prod,host:db-2&at=${AT - 4000}`);
});

test("columns sort on the server", async () => {
  const asked = answering({ "/hosts": hosts });
  renderPart(<HostsTab />);

  await userEvent.click(await screen.findByRole("button", { name: "CPU" }));

  expect(await screen.findByRole("columnheader", { name: "CPU" })).toHaveAttribute("aria-sort", "descending");
  expect(asked.at(-1)?.params.sort).toBe("-sum:cpu_total_percent");
});
