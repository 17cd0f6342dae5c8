import { afterEach, expect, test, vi } from "vitest";

import { windowPages } from "./fetchPages";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("a window goes on where its page before has ended, and ends with a page that is not full", async () => {
  const asked: (string | null)[] = [];
  vi.stubGlobal(
    "fetch",
    vi.fn((url: string) => {
      const cursor = new URL(url, "http://x").searchParams.get("page[cursor]");
      asked.push(cursor);
      const size = cursor === "second" ? 1 : 2;
      const data = Array.from({ length: size }, () => ({}));
      return Promise.resolve(Response.json({ meta: { known: true, page: { after: cursor ? "third" : "second", size } }, data }));
    }),
  );
  const fetchPage = windowPages({ from: 1, to: 2 }, 2);
  const { signal } = new AbortController();

  expect((await fetchPage(0, signal)).rowCount).toBe(4);
  expect(await fetchPage(1, signal)).toMatchObject({ rowCount: 3 });
  expect(asked).toEqual([null, "second"]);
});
