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
