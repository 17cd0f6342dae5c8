import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { answering, AT, renderPart } from "../test/rendering";
import { GraphsTab } from "./GraphsTab";

const numbers = {
  cpu_total_percent: [1, 2],
  rss_bytes: [1024, 2048],
  read_bytes_per_second: [null, null],
  write_bytes_per_second: [0, 1],
};
const series = {
  meta: { known: true, from: AT - 900, to: AT, step: 450, by: "command" },
  times: [AT - 450, AT],
  series: [
    { value: "java", is_rest: false, count: [3, 4], numbers },
    { value: null, is_rest: true, count: [5, 6], numbers },
  ],
};

test("there is a graph of count, cpu, memory and I/O, each told in words as well", async () => {
  answering({ "/timeseries": series });
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
  answering({ "/timeseries": series });
  renderPart(<GraphsTab />);
  const processes = within(await screen.findByRole("figure", { name: "Processes" }));

  await userEvent.click(processes.getByRole("button", { name: /java/, pressed: true }));

  expect(processes.getByRole("button", { name: /java/, pressed: false })).toBeVisible();
});

test("in total there is one series, asked for without groups", async () => {
  const asked = answering({ "/timeseries": { ...series, series: [{ ...series.series[0], value: null }] } });
  renderPart(<GraphsTab />);

  await userEvent.click(screen.getByRole("radio", { name: "Total" }));

  expect(asked.at(-1)?.params.by).toBeUndefined();
});

test("where nothing was seen it says what to do", async () => {
  answering({ "/timeseries": { ...series, series: [{ ...series.series[0], count: [null, null] }] } });
  renderPart(<GraphsTab />);

  expect(await screen.findByText("No process matches in this window")).toBeVisible();
});

test("where nothing is known it does not say that nothing was found", async () => {
  answering({ "/timeseries": { ...series, meta: { ...series.meta, known: false }, series: [] } });
  renderPart(<GraphsTab />);

  expect(await screen.findByText("No data for this time")).toBeVisible();
  expect(screen.queryByText(/No process matches|Nothing found/)).toBeNull();
});
