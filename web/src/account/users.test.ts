import { beforeEach, expect, test, vi } from "vitest";

import { get, send } from "../api/client";
import { seenWith } from "./restriction";
import { users } from "./users";

vi.mock("../api/client", () => ({ get: vi.fn(), send: vi.fn(), ApiError: class extends Error {} }));

const plain = { role: "viewer", created_at: 1_772_460_067, sessions: 0, is_you: false, rows: "", without_arguments: false, issuer: null };

beforeEach(() => {
  document.body.replaceChildren();
  // jsdom has no windows in front of the page.
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = function () {
    this.remove();
  };
  vi.mocked(send).mockReset().mockResolvedValue({});
});

async function shown(...found: Record<string, unknown>[]): Promise<HTMLElement> {
  vi.mocked(get).mockResolvedValue({ users: found.map((user) => ({ ...plain, ...user })) });
  const section = users();
  document.body.append(section);
  await vi.waitFor(() => expect(section.querySelector("tbody")).not.toBeNull());
  return section;
}

const actionsIn = (section: HTMLElement) => [...section.querySelectorAll("tbody button")].map((one) => one.getAttribute("aria-label"));

test("what somebody sees is said in a few words", () => {
  expect(seenWith({ rows: "", without_arguments: false })).toBe("all");
  expect(seenWith({ rows: "env:a,team:b", without_arguments: true })).toBe("only env:a,team:b, no arguments");
});

test("a row says what the user sees and by which provider the user signs in, as text", async () => {
  const section = await shown({ name: "anna", rows: "env:<b>a</b>", issuer: "https://login.acme.example/<i>" });

  const cells = [...section.querySelectorAll("tbody td")].map((cell) => cell.textContent);
  expect(cells[0]).toBe("annaby login.acme.example/<i>");
  expect(cells[4]).toBe("only env:<b>a</b>");
  expect(section.querySelector("tbody b, tbody i")).toBeNull();
});

test("no password is offered to users of a provider, and only viewers are restricted", async () => {
  expect(actionsIn(await shown({ name: "anna", issuer: "https://login.acme.example" }))).toEqual([
    "Restrict anna",
    "End sessions of anna",
    "Remove anna",
  ]);
  expect(actionsIn(await shown({ name: "bob", role: "editor" }))).toEqual([
    "Reset password of bob",
    "End sessions of bob",
    "Remove bob",
  ]);
});

test("a restriction starts from the one that there is, and is sent as a whole", async () => {
  const section = await shown({ name: "anna", rows: "env:a" });
  section.querySelector<HTMLElement>("[aria-label='Restrict anna']")?.click();
  const dialog = document.querySelector("dialog");
  const [rows, withoutArguments] = dialog?.querySelectorAll("input") ?? [];
  if (!rows || !withoutArguments) throw new Error("there is no form");
  expect([rows.value, withoutArguments.checked]).toEqual(["env:a", false]);

  rows.value = "env:b";
  withoutArguments.checked = true;
  dialog?.querySelector("form")?.requestSubmit();

  await vi.waitFor(() => expect(document.querySelector("dialog")).toBeNull());
  const restriction = { rows: "env:b", without_arguments: true };
  expect(vi.mocked(send).mock.calls).toEqual([["PATCH", "/users/anna", { restriction }]]);
});
