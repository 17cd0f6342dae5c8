import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { answering, AT, failure, query, renderPart } from "../test/rendering";
import { ContainersTab } from "./ContainersTab";

const at = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19);
const numbers = {
  cpu_total_percent: 190,
  cpu_limit_percent: 200,
  cpu_throttled_percent: 12.5,
  memory_usage_bytes: 52_428_800,
  memory_limit_bytes: 1_073_741_824,
  oom_kills: 3,
};
const attributes = {
  host: "web-1",
  name: "shop",
  runtime: "docker",
  image_name: "registry/shop",
  image_tags: ["1.2"],
  image_digest: "sha256:abc",
  state: "running",
  health: "healthy",
  created_at: null,
  started_at: at(AT - 3600),
  timestamp: at(AT - 5),
  tags: ["host:web-1"],
  processes: 7,
  numbers,
};
const shop = { type: "container", id: "abc123", attributes };
const nameless = {
  ...shop,
  id: "def456",
  attributes: {
    ...attributes,
    name: "",
    image_name: "",
    image_tags: [],
    health: "unknown",
    started_at: null,
    processes: null,
    numbers: {
      ...numbers,
      cpu_total_percent: null,
      cpu_limit_percent: null,
      cpu_throttled_percent: null,
      memory_limit_bytes: null,
      oom_kills: null,
    },
  },
};
const meta = { at: at(AT), total: 2, known: true };
const list = { meta, data: [shop, nameless] };
const history = {
  meta: { from: at(AT - 3600), to: at(AT), step: 60 },
  times: [at(AT - 120), at(AT - 60)],
  numbers: { cpu_total_percent: [100, 190], cpu_limit_percent: [200, 200], oom_kills: [null, null] },
};

const rowOf = async (name: RegExp) => within(await screen.findByRole("row", { name }));

test("a container has what it is, and what it uses of what it may", async () => {
  const asked = answering({ "/containers": list });
  window.history.replaceState(null, "", "/?s=shop&tags=env:prod");
  renderPart(<ContainersTab />);

  const row = await rowOf(/shop/);

  for (const text of ["registry/shop:1.2", "web-1", "running, healthy", "1.90 cores", "12.5%", "50.0 MiB", "3", "7"]) {
    expect(row.getByText(text)).toBeVisible();
  }
  expect(row.getByText(/of 2 cores/)).toBeVisible();
  expect(row.getByText(/of 1.0 GiB/)).toBeVisible();
  expect(asked[0]?.params).toEqual({
    at: String(AT),
    search: "shop",
    tags: "env:prod",
    language: "procession",
    sort: "name",
    limit: "1000",
    processes: "true",
  });
  expect(screen.getByText("2 containers match")).toBeVisible();
});

test("what nobody told is a dash, and one without a name is called by its ID", async () => {
  answering({ "/containers": list });
  renderPart(<ContainersTab />);

  const row = await rowOf(/def456/);

  // Image, start, cpu, throttling, kills and processes.
  expect(row.getAllByText("–").length).toBe(6);
  expect(row.queryByText(/ of /)).toBeNull();
});

test("a click leads to the processes of a container", async () => {
  answering({ "/containers": list });
  window.history.replaceState(null, "", "/?s=shop&tab=containers&tags=env:prod,container_id:old");
  renderPart(<ContainersTab />);

  await userEvent.click((await rowOf(/shop/)).getByRole("button", { name: "Show the processes of shop: 7" }));

  expect(query()).toBe("?tags=env:prod,container_id:abc123");
});

test("a container over time is in the address, and can be closed", async () => {
  const asked = answering({ "/containers": list, "/containers/history": history });
  window.history.replaceState(null, "", "/?tab=containers");
  renderPart(<ContainersTab />);

  await userEvent.click((await rowOf(/shop/)).getByRole("button", { name: "shop" }));

  expect(query()).toBe("?tab=containers&x.container=abc123&x.containerhost=web-1");
  const section = within(await screen.findByRole("region", { name: "Container over time" }));
  expect(section.getByRole("heading")).toHaveTextContent("shop on web-1");
  expect(await section.findByRole("figure", { name: "CPU of the container" })).toBeVisible();
  expect(section.getByRole("img")).toHaveAccessibleName(/Total: newest 190.0%, minimum 100.0%/);
  expect(section.queryByRole("figure", { name: "OOM kills since its start" })).toBeNull();
  expect(asked.find(({ path }) => path === "/containers/history")?.params).toEqual({
    host: "web-1",
    container_id: "abc123",
    from: String(AT - 3600),
    to: String(AT),
  });

  await userEvent.click(section.getByRole("button", { name: "Close" }));

  expect(query()).toBe("?tab=containers");
  expect(screen.queryByRole("region", { name: "Container over time" })).toBeNull();
});

test("a link to one that is gone shows what is known of it", async () => {
  answering({ "/containers": list, "/containers/history": { ...history, times: [], numbers: {} } });
  window.history.replaceState(null, "", `/?at=${AT}&tab=containers&x.container=gone&x.containerhost=db-1`);
  renderPart(<ContainersTab />);

  expect(await screen.findByRole("heading", { name: "gone on db-1" })).toBeVisible();
  expect(await screen.findByText("Nothing is known of it in this window")).toBeVisible();
});

test("a range is the window of the curves", async () => {
  const asked = answering({ "/containers": list, "/containers/history": history });
  window.history.replaceState(null, "", `/?from=${AT - 300}&to=${AT}&x.container=abc123&x.containerhost=web-1`);
  renderPart(<ContainersTab />, { window: { from: AT - 300, to: AT } });

  await screen.findByRole("figure", { name: "CPU of the container" });

  expect(asked.find(({ path }) => path === "/containers/history")?.params.from).toBe(String(AT - 300));
});

test("columns sort on the server, numbers by the greatest first", async () => {
  const asked = answering({ "/containers": list });
  renderPart(<ContainersTab />);

  await userEvent.click(await screen.findByRole("button", { name: "Memory" }));

  expect(await screen.findByRole("columnheader", { name: "Memory" })).toHaveAttribute("aria-sort", "descending");
  expect(asked.at(-1)?.params.sort).toBe("-memory_usage_bytes");

  await userEvent.click(screen.getByRole("button", { name: "Memory" }));

  expect(asked.at(-1)?.params.sort).toBe("memory_usage_bytes");
});

test("while the view is live they are asked for every five seconds", async () => {
  const asked = answering({ "/containers": list });
  renderPart(<ContainersTab />, { isLive: true });

  await rowOf(/shop/);

  expect(asked[0]?.params.at).toBe(String(AT - (AT % 5)));
});

test("that none matches is not the same as that none is known", async () => {
  answering({ "/containers": { meta: { ...meta, total: 0 }, data: [] } });
  const { unmount } = renderPart(<ContainersTab />);
  expect(await screen.findByText("No container matches")).toBeVisible();
  unmount();

  answering({ "/containers": { meta: { ...meta, total: 0, known: false }, data: [] } });
  renderPart(<ContainersTab />);
  expect(await screen.findByText("No containers at this time")).toBeVisible();
});

test("what the server refuses is said in its words", async () => {
  answering({ "/containers": () => failure(400, "Invalid query parameter search: expected a term") });
  renderPart(<ContainersTab />);

  expect(await screen.findByRole("alert")).toHaveTextContent("Invalid query parameter search: expected a term");
});
