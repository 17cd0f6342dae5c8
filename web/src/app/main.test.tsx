import { screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

vi.mock("./App", () => ({
  App: () => {
    throw new Error("broken page");
  },
}));

afterEach(() => vi.restoreAllMocks());

test("a page that cannot be drawn says so, with a way to try again", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const root = document.createElement("div");
  root.id = "root";
  document.body.append(root);

  await import("./main");

  expect(await screen.findByText("broken page")).toBeVisible();
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
});
