import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { answering, AT, failure, query, renderPart } from "../test/rendering";
import { GroupsTab } from "./GroupsTab";

const numbers = (sum: number | null, known: number) => ({
  cpu_total_percent: { sum, max: sum, known },
  rss_bytes: { sum: 1_073_741_824, max: 1_048_576, known: 7 },
});
const groups = {
  meta: { known: true, at: AT, by: "team", total: 12, groups: 2 },
  data: [
    { value: "shop", count: 7, numbers: numbers(12.5, 5) },
    { value: null, count: 5, numbers: numbers(null, 0) },
  ],
};

test("groups have counts, sums and maxima, and say of how many they are known", async () => {
  answering({ "/groups": groups });
  renderPart(<GroupsTab />);

  const row = within(await screen.findByRole("row", { name: /shop/ }));

  expect(row.getByText("7")).toBeVisible();
  expect(row.getByText("1.0 GiB")).toBeVisible();
  expect(row.getAllByTitle("Reported by 5 of 7 processes").length).toBe(2);
  expect(within(screen.getByRole("row", { name: /without team/ })).getAllByText("–").length).toBe(2);
});

test("a click on a group leaves its processes in the table, and one on the group without a value those without the tag", async () => {
  answering({ "/groups": groups });
  renderPart(<GroupsTab />);

  await userEvent.click(await screen.findByRole("button", { name: "without team" }));

  expect(query()).toContain("tags=!team:*");

  await userEvent.click(screen.getByRole("button", { name: "shop" }));

  expect(query()).toContain("tags=!team:*,team:shop");
});

test("a click on a column sorts on the server, and once more turns it round", async () => {
  const asked = answering({ "/groups": groups });
  renderPart(<GroupsTab />);
  await userEvent.click(await screen.findByRole("button", { name: "CPU, max" }));
  await screen.findByRole("columnheader", { name: "CPU, max", hidden: false });
  await userEvent.click(screen.getByRole("button", { name: "CPU, max" }));

  expect(asked.map(({ params }) => params.sort)).toEqual(["-count", "-max:cpu_total_percent", "max:cpu_total_percent"]);
  expect(screen.getByRole("columnheader", { name: "CPU, max" })).toHaveAttribute("aria-sort", "ascending");
});

test("two keys and other statistics are asked for, and a click on a group filters by both keys", async () => {
  window.history.replaceState(null, "", "/?x.second=host&x.statistics=avg,p50,p95&x.measures=threads&x.groupsort=-p95:threads");
  const asked = answering({
    "/groups": {
      meta: { known: true, at: AT, by: "command,host", total: 4, groups: 1 },
      data: [
        { value: "java", second: "web-1", count: 4, numbers: { threads: { avg: 3.26, p50: 2, p95: 8, known: 4 } } },
      ],
    },
  });
  renderPart(<GroupsTab />);

  const row = within(await screen.findByRole("row", { name: /java/ }));

  expect(asked[0]?.params).toMatchObject({ by: "command,host", statistics: "avg,p50,p95", sort: "-p95:threads" });
  expect(screen.getByText(/4 processes in 1 group by/)).toHaveTextContent("command and host");
  expect(screen.getAllByRole("columnheader").map((one) => one.textContent)).toEqual([
    "command",
    "host",
    "Processes",
    "Threads, average",
    "Threads, median",
    "Threads, p95 ↓",
  ]);
  expect(row.getAllByRole("cell").map((one) => one.textContent)).toEqual(["java", "web-1", "4", "3.3", "2", "8"]);

  await userEvent.click(row.getByRole("button", { name: "web-1" }));

  expect(query()).toContain("tags=command:java,host:web-1");
});

test("the second key is taken away by its cross", async () => {
  window.history.replaceState(null, "", "/?x.second=host");
  const asked = answering({ "/groups": groups });
  renderPart(<GroupsTab />);

  await userEvent.click(await screen.findByRole("button", { name: "Clear And by" }));

  expect(query()).not.toContain("second");
  expect(asked.at(-1)?.params.by).toBe("command");
});

test("the export asks for all groups as they are shown, and says what it left out", async () => {
  const saved = vi.fn(() => "blob:");
  URL.createObjectURL = saved;
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
  const asked = answering({ "/groups": { ...groups, meta: { ...groups.meta, groups: 12 } } });
  renderPart(<GroupsTab />);
  await userEvent.click(screen.getByRole("button", { name: "Export groups" }));

  await userEvent.click(await screen.findByRole("menuitem", { name: /^CSV/ }));

  expect(await screen.findByText(/2 groups are in the file.*10 more are left out/)).toBeVisible();
  expect(asked.at(-1)?.params).toMatchObject({ by: "command", limit: "10000", sort: "-count", statistics: "sum,max" });
  expect(saved).toHaveBeenCalledOnce();
});

test("an error is shown in the server's words, with a way on", async () => {
  answering({ "/groups": () => failure(400, "Invalid query parameter by: too many processes") });
  renderPart(<GroupsTab />);

  expect(await screen.findByRole("alert")).toHaveTextContent("too many processes");
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
});

test("nothing that fits is said to be so", async () => {
  answering({ "/groups": { meta: { known: true, at: AT, by: "team", total: 0, groups: 0 }, data: [] } });
  renderPart(<GroupsTab />);

  expect(await screen.findByText("No process matches")).toBeVisible();
});

test("containers filter only where an agent gives their ids as tags", async () => {
  const facet = (processes: number) => ({ meta: { known: true }, facets: [{ key: "container_id", processes, values: [] }] });
  const containers = { ...groups, meta: { ...groups.meta, by: "container_id" } };
  window.history.replaceState(null, "", "/?by=container_id");
  answering({ "/groups": containers, "/facets": facet(0) });
  const { unmount } = renderPart(<GroupsTab />);

  await screen.findByText("shop");

  expect(screen.queryByRole("button", { name: "shop" })).toBeNull();

  unmount();
  answering({ "/groups": containers, "/facets": facet(3) });
  renderPart(<GroupsTab />);

  expect(await screen.findByRole("button", { name: "shop" })).toBeVisible();
});

test("where nothing is known it does not say that nothing was found", async () => {
  answering({ "/groups": { meta: { known: false, at: AT, by: "team", total: 0, groups: 0 }, data: [] } });
  renderPart(<GroupsTab />);

  expect(await screen.findByText("No data for this time")).toBeVisible();
  expect(screen.queryByText(/No process matches|Nothing found/)).toBeNull();
});
