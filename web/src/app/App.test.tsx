import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { App } from "./App";

type Answer = (method: string, url: string, body: unknown) => Response;

function serve(answer: Answer) {
  const calls: string[] = [];
  vi.stubGlobal(
    "fetch",
    vi.fn((url: string, options: RequestInit) => {
      const method = options.method ?? "GET";
      calls.push(`${method} ${url}`);
      const body: unknown = typeof options.body === "string" ? JSON.parse(options.body) : undefined;
      return Promise.resolve(answer(method, url, body));
    }),
  );
  return calls;
}

function page() {
  return render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
        <App />
      </QueryClientProvider>
    </MantineProvider>,
  );
}

const forbidden = () => Response.json({ errors: ["Forbidden"] }, { status: 403 });

beforeEach(() => window.history.replaceState(null, "", "/"));
afterEach(() => {
  vi.unstubAllGlobals();
});

test("who is not signed in is asked for a key, and told if it is none", async () => {
  serve(forbidden);
  page();

  await userEvent.type(await screen.findByLabelText("Application key"), "wrong");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));

  expect(await screen.findByText(/no application key of this server/)).toBeVisible();
});

test("who has a password signs in with it, and it is sent by no address", async () => {
  let isIn = false;
  const bodies: unknown[] = [];
  const calls = serve((method, url, body) => {
    if (method === "POST" && url.endsWith("/sign-in")) {
      bodies.push(body);
      isIn = (body as { password: string }).password === "right";
      return isIn ? Response.json({ org: "main", user: "anna", role: "viewer", scopes: [] }, { status: 201 }) : forbidden();
    }
    return isIn && url.endsWith("/session")
      ? Response.json({ org: "main", user: "anna", role: "viewer", scopes: [], expires_at: 1 })
      : forbidden();
  });
  page();

  await userEvent.type(await screen.findByLabelText("User"), " anna ");
  await userEvent.type(screen.getByLabelText("Password"), "wrong");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
  expect(await screen.findByText(/There is no such user, or this is not the password/)).toBeVisible();
  await userEvent.clear(screen.getByLabelText("Password"));
  await userEvent.type(screen.getByLabelText("Password"), "right");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));

  await vi.waitFor(() => expect(bodies).toEqual([
    { user: "anna", password: "wrong" },
    { user: "anna", password: "right" },
  ]));
  expect(calls.filter((call) => call.includes("right") || call.includes("anna"))).toEqual([]);
});

test("who enters nothing is told what to enter, and nothing is sent", async () => {
  const calls = serve(forbidden);
  page();

  await userEvent.type(await screen.findByLabelText("User"), "anna");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));

  expect(await screen.findByText(/Enter your name and your password/)).toBeVisible();
  expect(calls.filter((call) => call.startsWith("POST"))).toEqual([]);
});

test("the link of the address is posted once, and is gone from the address", async () => {
  window.history.replaceState(null, "", "/?q=java#link=secret");
  const calls = serve(forbidden);
  page();

  expect(await screen.findByText(/This link was already used/)).toBeVisible();
  expect(calls.filter((call) => call.startsWith("POST"))).toHaveLength(1);
  expect(window.location.href).toMatch(/\?q=java$/);
});

test("what the document has asked is taken before the link signs in, or it would sign out again", async () => {
  window.history.replaceState(null, "", "/#link=secret");
  const calls = serve(forbidden);
  page();

  await screen.findByText(/This link was already used/);
  expect(calls.slice(0, 2)).toEqual(["GET /api/procession/v1/session", "POST /api/procession/v1/session"]);
});

test("a server that cannot be reached is said to be, with a way to try again", async () => {
  vi.stubGlobal("fetch", vi.fn(() => Promise.reject(new TypeError("failed"))));
  page();

  expect(await screen.findByRole("alert")).toHaveTextContent("The server cannot be reached");
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
});

test("a provider has a button with its name, which says what is wrong and leads back here", async () => {
  window.history.replaceState(null, "", "/?s=a%20b#row");
  serve((method, url) =>
    method === "GET" && url.endsWith("/sign-in")
      ? Response.json({
          providers: [
            { name: "acme", title: "Acme & Sons", problem: "" },
            { name: "globex", title: "Globex", problem: "Globex cannot sign anybody in now: no answer in time." },
          ],
        })
      : forbidden(),
  );
  page();

  const button = await screen.findByRole("link", { name: "Sign in with Acme & Sons" });

  expect(button).toHaveAttribute("href", "/signin/oidc/acme?to=%2F%3Fs%3Da%2520b%23row");
  expect(screen.getByText("Globex cannot sign anybody in now: no answer in time.")).toBeVisible();
  expect(screen.getByLabelText("User")).toBeVisible();
});
