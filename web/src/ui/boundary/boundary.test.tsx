import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { ErrorBoundary } from "./ErrorBoundary";
import { lazyPart } from "./lazyPart";

const OUR_PAGE = '<script type="module" src="/assets/index-1.js"></script>';

function servePage(html: string | null) {
  const answer = () => (html === null ? Promise.reject(new TypeError("failed")) : Promise.resolve(new Response(html)));
  vi.stubGlobal("fetch", vi.fn(answer));
}

beforeEach(() => {
  const script = document.createElement("script");
  script.type = "module";
  script.setAttribute("src", "/assets/index-1.js");
  document.head.replaceChildren(script);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(() => {
  document.head.replaceChildren();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("code that does not come is tried again until it does", async () => {
  servePage(null);
  let tries = 0;
  const Part = lazyPart("Loading", () => {
    tries += 1;
    return tries < 3 ? Promise.reject(new TypeError("failed")) : Promise.resolve(() => <p>here it is</p>);
  });
  render(<Part />, { wrapper: MantineProvider });

  expect(await screen.findByRole("alert")).toHaveTextContent("Server unreachable");
  expect(await screen.findByText("here it is")).toBeVisible();
  expect(tries).toBe(3);
});

test("after an upgrade one is asked to reload, and nothing is tried again by itself", async () => {
  servePage(OUR_PAGE.replace("index-1", "index-2"));
  const load = vi.fn(() => Promise.reject(new TypeError("failed")));
  const Part = lazyPart("Loading", load);
  render(<Part />, { wrapper: MantineProvider });

  expect(await screen.findByRole("alert")).toHaveTextContent("There is a new version of this page");
  expect(screen.getByRole("button", { name: "Reload" })).toBeVisible();
  expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
});

test("a part that fails is said to, and is drawn again for another view", async () => {
  let isBroken = true;
  const Part = () => {
    if (isBroken) throw new Error("broken part");
    return <p>works</p>;
  };
  const at = (view: string) => (
    <>
      <ErrorBoundary resetKey={view}>
        <Part />
      </ErrorBoundary>
      <p>the rest</p>
    </>
  );
  const { rerender } = render(at("one"), { wrapper: MantineProvider });

  expect(screen.getByRole("alert")).toHaveTextContent("broken part");
  expect(screen.getByText("the rest")).toBeVisible();
  isBroken = false;
  rerender(at("two"));
  expect(screen.getByText("works")).toBeVisible();

  isBroken = true;
  rerender(at("three"));
  isBroken = false;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(screen.getByText("works")).toBeVisible();
});
