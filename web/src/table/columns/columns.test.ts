import { expect, test } from "vitest";

import { COLUMNS, columnsOf, moved, nextSort } from "./columns";

function column(id: string) {
  const found = COLUMNS.find((one) => one.id === id);
  if (!found) throw new Error(id);
  return found;
}

test("numbers are sorted from the greatest, texts from the least, and the other way with the next click", () => {
  expect(nextSort(column("rss_bytes"), "-cpu_total_percent")).toBe("-rss_bytes");
  expect(nextSort(column("rss_bytes"), "-rss_bytes")).toBe("rss_bytes");
  expect(nextSort(column("host"), "-rss_bytes")).toBe("host");
  expect(nextSort(column("host"), "host")).toBe("-host");
  expect(nextSort(column("tags"), "host")).toBe("host");
});

test("columns that there are not are left out, and no columns at all are the default ones", () => {
  expect(columnsOf(["pid", "nothing", "host"]).map(({ id }) => id)).toEqual(["pid", "host"]);
  expect(columnsOf(["nothing"])).toHaveLength(9);
});

test("a column moves to an index, and not beyond the ends", () => {
  expect(moved(["a", "b", "c"], "a", 1)).toEqual(["b", "a", "c"]);
  expect(moved(["a", "b", "c"], "a", 9)).toEqual(["b", "c", "a"]);
  expect(moved(["a", "b", "c"], "b", -1)).toEqual(["b", "a", "c"]);
});
