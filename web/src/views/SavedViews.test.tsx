import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { answering, AT, failure, query, renderPart } from "../test/rendering";
import { parseView } from "../state/view";
import { SavedViews } from "./SavedViews";

const java = { name: "Java", state: "q=java", changed_at: AT };

async function opened() {
  renderPart(<SavedViews />);
  await userEvent.click(screen.getByRole("button", { name: "Views" }));
}

test("a saved view is opened by a click, and one of before means what it meant", async () => {
  answering({ "/views": { views: [java] } });
  await opened();

  await userEvent.click(await screen.findByRole("button", { name: /^Java/ }));

  expect(query()).toBe('?s="java"');
});

test("the current view is saved under a name, without the open process", async () => {
  const asked = answering({ "/views": { views: [] }, "/views/My%20view": { views: [java] } });
  window.history.replaceState(null, "", "/?s=nginx&p=01");
  await opened();

  await userEvent.type(await screen.findByLabelText("Save this view as"), "My view{Enter}");

  expect(await screen.findByText(/^Saved/)).toBeVisible();
  expect(asked.at(-1)).toMatchObject({ method: "PUT", body: { state: "s=nginx" } });
});

test("a view of the same name is overwritten only once that is confirmed", async () => {
  const asked = answering({ "/views": { views: [java] }, "/views/Java": { views: [java] } });
  await opened();
  await userEvent.type(await screen.findByLabelText("Save this view as"), "Java");

  await userEvent.click(screen.getByRole("button", { name: "Overwrite" }));

  expect(asked.filter(({ method }) => method === "PUT")).toEqual([]);
  expect(screen.getByText(/Press Overwrite once more/)).toBeVisible();

  await userEvent.click(screen.getByRole("button", { name: "Overwrite" }));

  expect(await screen.findByText(/^Saved/)).toBeVisible();
});

test("a view is deleted only once that is confirmed", async () => {
  const asked = answering({ "/views": { views: [java] }, "/views/Java": { views: [] } });
  await opened();
  await userEvent.click(await screen.findByRole("button", { name: "Delete Java" }));

  await userEvent.click(screen.getByRole("button", { name: "Delete" }));

  expect(await screen.findByText(/No view is saved yet/)).toBeVisible();
  expect(asked.at(-1)?.method).toBe("DELETE");
});

test("what the server says against it is shown", async () => {
  answering({
    "/views": { views: [] },
    "/views/x": () => failure(400, "There are 500 views already; delete one first"),
  });
  await opened();

  await userEvent.type(await screen.findByLabelText("Save this view as"), "x{Enter}");

  expect(await screen.findByRole("alert")).toHaveTextContent("500 views already");
});

test("ready-made views are links with filters, an order and columns, and keep the time", async () => {
  answering({ "/views": { views: [] } });
  window.history.replaceState(null, "", `/?at=${AT}&tags=env:prod&tab=groups&p=01`);
  await opened();
  const link = await screen.findByRole("link", { name: "Zombies" });

  expect(link).toHaveAttribute("href", expect.stringContaining("tags=state_zombie:true"));

  await userEvent.click(link);

  const { time, tags, tab, selected, columns } = parseView(window.location.search);
  expect({ time, tags, tab, selected }).toEqual({
    time: { mode: "at", at: AT },
    tags: ["state_zombie:true"],
    tab: "table",
    selected: null,
  });
  expect(columns).toContain("ppid");
  await waitFor(() => expect(screen.queryByRole("link", { name: "Zombies" })).toBeNull());
});

test("ready-made views are there where saved ones cannot be loaded", async () => {
  answering({ "/views": () => failure(503, "The store is busy") });
  await opened();

  expect(await screen.findByRole("alert")).toHaveTextContent("The store is busy");
  expect(screen.getAllByRole("link")).toHaveLength(9);
});
