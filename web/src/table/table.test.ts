import { afterEach, expect, test, vi } from "vitest";

import { COLUMNS, columnsOf, moved, nextSort } from "./columns";
import { moveTo } from "./keyboard";
import { windowPages } from "./sources";

function column(id: string) {
  const found = COLUMNS.find((one) => one.id === id);
  if (!found) throw new Error(id);
  return found;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

test("numbers are sorted from the greatest, texts from the least, and the other way with the next click", () => {
  expect(nextSort(column("rss_bytes"), "-cpu_total_percent")).toBe("-rss_bytes");
  expect(nextSort(column("rss_bytes"), "-rss_bytes")).toBe("rss_bytes");
  expect(nextSort(column("host"), "-rss_bytes")).toBe("host");
  expect(nextSort(column("host"), "host")).toBe("-host");
  expect(nextSort(column("tags"), "host")).toBe("host");
});

test("columns that there are not are left out, and no columns at all are the usual ones", () => {
  expect(columnsOf(["pid", "nothing", "host"]).map(({ id }) => id)).toEqual(["pid", "host"]);
  expect(columnsOf(["nothing"])).toHaveLength(9);
});

test("a column moves to a place, and not beyond the ends", () => {
  expect(moved(["a", "b", "c"], "a", 1)).toEqual(["b", "a", "c"]);
  expect(moved(["a", "b", "c"], "a", 9)).toEqual(["b", "c", "a"]);
  expect(moved(["a", "b", "c"], "b", -1)).toEqual(["b", "a", "c"]);
});

test("keys move by rows, pages and to the ends, and stay within", () => {
  expect(moveTo("ArrowDown", null, 100, 10)).toBe(0);
  expect(moveTo("ArrowDown", 99, 100, 10)).toBe(99);
  expect(moveTo("ArrowUp", 5, 100, 10)).toBe(4);
  expect(moveTo("PageDown", 5, 100, 10)).toBe(15);
  expect(moveTo("PageUp", 5, 100, 10)).toBe(0);
  expect(moveTo("End", 5, 100, 10)).toBe(99);
  expect(moveTo("Home", 5, 100, 10)).toBe(0);
  expect(moveTo("x", 5, 100, 10)).toBeNull();
  expect(moveTo("End", null, 0, 10)).toBeNull();
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
