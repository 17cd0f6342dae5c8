/** A part of the page for tests: at a fixed instant, with a server that answers what the test says. */

import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, vi } from "vitest";

import { PREFIX } from "../api/client";
import { InstantContext, type Instant } from "../state/instant";

export const AT = 1_772_460_067;

export interface Question {
  method: string;
  path: string;
  params: Record<string, string>;
  body: unknown;
}

type Answer = object | ((question: Question) => object);

/** What the server was asked, in order. `answers` are by path; what is not there is a 404. */
export function answering(answers: Record<string, Answer>): Question[] {
  const asked: Question[] = [];
  const answer = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input, "http://localhost");
    const question = {
      method: init?.method ?? "GET",
      path: url.pathname.startsWith(PREFIX) ? url.pathname.slice(PREFIX.length) : url.pathname,
      params: Object.fromEntries(url.searchParams),
      body: typeof init?.body === "string" ? (JSON.parse(init.body) as unknown) : undefined,
    };
    asked.push(question);
    const found = answers[question.path];
    const given = typeof found === "function" ? (found as (question: Question) => object)(question) : found;
    if (given instanceof Response) return Promise.resolve(given);
    return Promise.resolve(given === undefined ? failure(404, "Not found") : Response.json(given));
  };
  vi.stubGlobal("fetch", answer);
  return asked;
}

export function failure(status: number, ...errors: string[]): Response {
  return Response.json({ errors }, { status });
}

export function renderPart(children: ReactNode, instant: Partial<Instant> = {}) {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const fixed = { at: AT, window: { from: AT - 900, to: AT }, isLive: false, refresh: () => undefined, ...instant };
  return render(
    <MantineProvider env="test">
      <QueryClientProvider client={queries}>
        <InstantContext value={fixed}>{children}</InstantContext>
      </QueryClientProvider>
    </MantineProvider>,
  );
}

/** The address without its path, as people read it. */
export function query(): string {
  return decodeURIComponent(window.location.search.replaceAll("+", " "));
}

afterEach(() => {
  vi.unstubAllGlobals();
  window.history.replaceState(null, "", "/");
});
