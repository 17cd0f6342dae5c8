import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { someProcess } from "../test/processes";
import { answering, AT, query, renderPart } from "../test/rendering";
import { ScatterTab } from "./ScatterTab";

const points = {
  meta: { known: true, at: AT, total: 3, x: "cpu_total_percent", y: "rss_bytes", by: "command" },
  groups: ["java", "nginx"],
  points: { id: ["a", "b"], x: [80, 0], y: [1024, 1_048_576], group: [0, 1] },
};

test("a point that the keys reach is named, and opens its process", async () => {
  answering({ "/points": points, "/processes/a": { data: someProcess("a", { user: "shop" }) } });
  renderPart(<ScatterTab />);
  const plot = await screen.findByRole("img", { name: /2 processes by CPU and Memory/ });

  plot.focus();
  await userEvent.keyboard("{ArrowRight}");

  expect(await screen.findByText(/pid 7 of/)).toBeVisible();

  await userEvent.click(screen.getByRole("button", { name: "Open" }));

  expect(query()).toContain("p=a");
});

test("the greatest are in a table as well, by either number", async () => {
  answering({ "/points": points });
  renderPart(<ScatterTab />);
  await userEvent.click(await screen.findByText("The 2 greatest, as a table"));

  await userEvent.click(screen.getByRole("button", { name: "Memory (RSS)" }));

  expect(screen.getAllByRole("row").map((row) => row.textContent)[1]).toContain("nginx");
});

test("a click on a colour filters by its group", async () => {
  answering({ "/points": points });
  renderPart(<ScatterTab />);

  await userEvent.click(await screen.findByTitle("Filter by command:java"));

  expect(query()).toContain("tags=command:java");
});

test("it says how many are not there", async () => {
  answering({ "/points": points });
  renderPart(<ScatterTab />);

  expect(await screen.findByText(/2 of 3 processes, those with the greatest CPU/)).toBeVisible();
});

test("groups are dots too: by their numbers, and a click filters by one", async () => {
  window.history.replaceState(null, "", "/?x.dots=groups&x.dotstatistic=p95");
  const measured = (value: number) => ({ p95: value, known: 3 });
  const asked = answering({
    "/groups": {
      meta: { known: true, at: AT, by: "command", total: 12, groups: 3 },
      data: [
        { value: "nginx", count: 3, numbers: { cpu_total_percent: measured(1), rss_bytes: measured(1024) } },
        { value: "java", count: 9, numbers: { cpu_total_percent: measured(80), rss_bytes: measured(1_048_576) } },
      ],
    },
  });
  renderPart(<ScatterTab />);
  const plot = await screen.findByRole("img", { name: /2 groups by CPU, p95 and Memory \(RSS\), p95/ });

  plot.focus();
  await userEvent.keyboard("{ArrowRight}");

  expect(screen.getByText("9 processes")).toBeVisible();
  expect(asked[0]?.params).toMatchObject({ by: "command", statistics: "p95", measures: "cpu_total_percent,rss_bytes" });
  expect(screen.getByText(/2 of 3 groups by/)).toHaveTextContent("those with the most processes");

  await userEvent.click(screen.getByRole("button", { name: "Filter" }));

  expect(query()).toContain("tags=command:java");
});
