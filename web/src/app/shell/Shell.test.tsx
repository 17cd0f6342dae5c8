import { screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import { answering, renderPart } from "../../test/rendering";
import { Shell } from "./Shell";

vi.mock("../../time/DataStrip", () => ({
  DataStrip: () => {
    throw new Error("broken strip");
  },
}));

afterEach(() => vi.restoreAllMocks());

test("a strip that cannot be drawn leaves the rest of the page", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const at = Math.floor(Date.now() / 1000) - 600;
  answering({ "/trends": { meta: { step: 60, instants: true }, times: [at], trends: [] } });
  window.history.replaceState(null, "", `/?at=${at}`);
  renderPart(<Shell onSignedOut={vi.fn()} />, { at });

  expect(await screen.findByText("broken strip")).toBeVisible();
  expect(screen.getByRole("tab", { name: "Table" })).toBeVisible();
  expect(screen.getByRole("tabpanel")).toBeVisible();
  expect(screen.getByRole("complementary", { name: "Filters" })).toBeVisible();
});
