import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";

import { someProcess } from "../test/processes";
import { answering, AT, failure, renderPart, type Question } from "../test/rendering";
import { ExportMenu } from "./ExportMenu";

const page = { meta: { known: true, at: AT, total: 1, page: { after: "c", size: 1 } }, data: [someProcess("01")] };

afterEach(() => vi.restoreAllMocks());

async function choose(item: string) {
  renderPart(<ExportMenu />);
  await userEvent.click(screen.getByRole("button", { name: "Export" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: item }));
}

test("a file of the query is downloaded, of the instant that is shown", async () => {
  const asked = answering({ "/processes": page });
  const names: string[] = [];
  // jsdom has no downloads.
  URL.createObjectURL = () => "blob:x";
  URL.revokeObjectURL = () => undefined;
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    names.push(this.download);
  });
  window.history.replaceState(null, "", "/?s=java&sort=pid");

  await choose("CSV, for spreadsheets");

  expect(await screen.findByText("1 process is in the file. Those that have ended are left out.")).toBeVisible();
  expect(names).toEqual(["processes-2026-03-02T140107Z.csv"]);
  expect(asked[0]?.params).toEqual({ at: String(AT), search: "java", language: "procession", sort: "pid", "page[limit]": "5000" });
});

test("what goes wrong is said, and can be tried again", async () => {
  answering({ "/processes": () => failure(503, "The store is busy") });

  await choose("JSON, for programs");

  expect(await screen.findByRole("alert")).toHaveTextContent("The store is busy");
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
});

test("the query is a line for a shell, too", async () => {
  answering({});
  window.history.replaceState(null, "", "/?s=it's");

  await choose("As curl");

  expect(await screen.findByLabelText("Command")).toHaveTextContent(`--data-urlencode 'search=it'\\''s'`);
});

test("what has ended is exported as it is shown, and the file says what it has not", async () => {
  const asked = answering({ "/processes": page });
  URL.createObjectURL = () => "blob:x";
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
  window.history.replaceState(null, "", "/?sort=-ended&x.scope=ended&tags=exit_code:1");

  await choose("CSV, for spreadsheets");

  expect(await screen.findByText("1 process is in the file. Those that still run are left out.")).toBeVisible();
  expect(asked[0]?.params).toMatchObject({ ended: "true", sort: "-ended", tags: "exit_code:1", language: "procession" });
  expect(asked[0]?.params).not.toHaveProperty("at");
});

test("a window that is too large to be sorted is exported by start all the same", async () => {
  const asked = answering({
    "/processes": ({ params }: Question) =>
      params.sort === undefined
        ? { meta: { known: true, page: { after: "", size: 1 } }, data: [someProcess("01")] }
        : failure(400, "more than 100000 processes were seen in the window, too many"),
  });
  URL.createObjectURL = () => "blob:x";
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
  window.history.replaceState(null, "", "/?sort=start&x.scope=window");

  await choose("CSV, for spreadsheets");

  expect(await screen.findByText("1 process is in the file.")).toBeVisible();
  expect(asked.map(({ params }) => params.sort)).toEqual(["start", undefined]);
});
