import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { App } from "./App";

test("the page says what it is", () => {
  render(
    <MantineProvider>
      <App />
    </MantineProvider>,
  );

  expect(screen.getByRole("heading", { name: "Procession" })).toBeVisible();
});
