import { afterEach, expect, test, vi } from "vitest";

import { get, send } from "./client";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("only calls about an instant or a window may be answered with what somebody else was told", async () => {
  const headers: unknown[] = [];
  vi.stubGlobal(
    "fetch",
    vi.fn((_: string, init: RequestInit) => {
      headers.push(init.headers);
      return Promise.resolve(Response.json({}));
    }),
  );

  await get("/processes", { at: 7, search: "java" });
  await get("/facets", { from: 1, to: 7 });
  await get("/views");
  await send("PUT", "/views/mine", { at: 7 });

  const shared = { "cache-control": "max-age=1" };
  expect(headers).toEqual([shared, shared, {}, { "content-type": "application/json" }]);
});
