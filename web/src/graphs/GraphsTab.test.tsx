import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { Band, Trend, Trends } from "../api/types";
import { answering, AT, renderPart } from "../test/rendering";
import { GraphsTab } from "./GraphsTab";

function band(avg: (number | null)[], min = avg, max = avg): Band {
  return { min, avg, max, max_at: avg.map((value, index) => (value === null ? null : AT - 1800 + 900 * index + 120)) };
}

const numbers = {
  cpu_total_percent: band([1, 2]),
  rss_bytes: band([1024, 2048]),
  read_bytes_per_second: band([null, null]),
  write_bytes_per_second: band([0, 1]),
};
const found: Trends = {
  meta: { known: true, from: AT - 900, to: AT, step: 450, instants: true, by: "command" },
  times: [AT - 450, AT],
  trends: [
    { value: "java", is_rest: false, count: band([3, 4]), numbers },
    { value: null, is_rest: true, count: band([5, 6]), numbers },
  ],
};
const [java] = found.trends as [Trend, Trend];

test("there is a graph of count, cpu, memory and I/O, each told in words as well", async () => {
  answering({ "/trends": found });
  renderPart(<GraphsTab />);

  const processes = within(await screen.findByRole("figure", { name: "Processes" }));

  expect(processes.getByRole("img")).toHaveAccessibleName(
    "Processes over time. java: newest 4, minimum 3, maximum 4; All others: newest 6, minimum 5, maximum 6",
  );
  for (const name of ["CPU", "Memory (RSS)", "Read", "Written"]) {
    expect(screen.getByRole("figure", { name })).toBeVisible();
  }
});

test("a click in the legend hides a series, and shows it again", async () => {
  answering({ "/trends": found });
  renderPart(<GraphsTab />);
  const processes = within(await screen.findByRole("figure", { name: "Processes" }));

  await userEvent.click(processes.getByRole("button", { name: /java/, pressed: true }));

  expect(processes.getByRole("button", { name: /java/, pressed: false })).toBeVisible();
});

test("in total there is one series, asked for without groups", async () => {
  const asked = answering({ "/trends": { ...found, trends: [{ ...java, value: null }] } });
  renderPart(<GraphsTab />);

  await userEvent.click(screen.getByRole("radio", { name: "Total" }));

  expect(asked.at(-1)?.params.by).toBeUndefined();
});

test("where nothing was seen it says what to do", async () => {
  answering({ "/trends": { ...found, trends: [{ ...java, count: band([null, null]) }] } });
  renderPart(<GraphsTab />);

  expect(await screen.findByText("No process matches in this window")).toBeVisible();
});

test("where nothing is known it does not say that nothing was found", async () => {
  answering({ "/trends": { ...found, meta: { ...found.meta, known: false }, trends: [] } });
  renderPart(<GraphsTab />);

  expect(await screen.findByText("No data for this time")).toBeVisible();
  expect(screen.queryByText(/No process matches|Nothing found/)).toBeNull();
});

test("the steps of a long window say the least and the greatest of their minutes: a spike does not vanish", async () => {
  const cpu = band([10_000, 20_000], [9000, 10_000], [11_000, 50_000]);
  const whole = { value: null, is_rest: false, count: band([30, 40.5], [30, 7], [30, 60]), numbers: { cpu_total_percent: cpu } };
  answering({
    "/trends": {
      meta: { known: true, from: AT - 1800, to: AT, step: 900, instants: false, by: null },
      times: [AT - 1800, AT - 900],
      trends: [whole],
    },
  });
  renderPart(<GraphsTab />);

  const cores = within(await screen.findByRole("figure", { name: "CPU" }));

  expect(cores.getByText("200 cores (100 cores to 500 cores)")).toBeVisible();
  expect(cores.getByRole("img")).toHaveAccessibleName(
    "CPU over time. All processes: newest 200 cores, minimum 90 cores, maximum 500 cores",
  );
  expect(screen.getByText(/Steps of 15 min/)).toBeVisible();
});
