import { expect, test } from "vitest";

import { COLUMNS, columnsOf, formatWidths, moved, nextSort, parseWidths, tagColumnId, withWidths } from "./columns";

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
  expect(nextSort(column("ended"), "host")).toBe("-ended");
});

test("every column is sorted by the server", () => {
  expect(COLUMNS.filter(({ sort }) => sort === null)).toEqual([]);
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

test("any tag key has a column", () => {
  const [column] = columnsOf([tagColumnId(" Team ")]);

  expect(column).toMatchObject({ id: "tag:team", label: "team", sort: "tag:team" });
  expect(columnsOf(["tag:"])).toHaveLength(9);
});

test("widths are kept as text, within what can be seen, and what is none is left out", () => {
  const widths = parseWidths("command:400,tag:team:90,host:1,x,:5,user:abc");

  expect([...widths]).toEqual([["command", 400], ["tag:team", 90], ["host", 48]]);
  expect(formatWidths(widths)).toBe("command:400,tag:team:90,host:48");
  expect(withWidths(columnsOf(["command", "pid"]), widths).map(({ width, grows }) => [width, grows])).toEqual([
    [400, false],
    [82, undefined],
  ]);
});
