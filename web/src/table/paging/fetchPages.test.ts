import { afterEach, expect, test, vi } from "vitest";

import { pagesOf, windowPages } from "./fetchPages";

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

test("a window that is too large to be sorted is listed by start all the same", async () => {
  const asked: URL[] = [];
  vi.stubGlobal(
    "fetch",
    vi.fn((text: string) => {
      const url = new URL(text, "http://x");
      asked.push(url);
      return Promise.resolve(
        url.searchParams.has("sort")
          ? Response.json({ errors: ["more than 100000 processes were seen in the window, too many"] }, { status: 400 })
          : Response.json({ meta: { known: true, page: { after: "", size: 1 } }, data: [{}] }),
      );
    }),
  );
  const { signal } = new AbortController();
  const fetchPage = pagesOf("window", { from: 1, to: 2, sort: "start" }, 2);

  expect(await fetchPage(0, signal)).toMatchObject({ rowCount: 1, total: null });
  expect(asked.map(({ searchParams }) => searchParams.has("sort"))).toEqual([true, false]);
  await expect(pagesOf("window", { from: 1, to: 2, sort: "pid" }, 2)(0, signal)).rejects.toThrow("more than");
});
