import { describe, expect, it, vi } from "vitest";

import { ApiError } from "../api/client";
import type { ProcessItem, ProcessList } from "../api/types";
import { someProcess } from "../test/processes";
import { exportRows } from "./exportRows";
import { FORMATS } from "./formats";

function pages(...sizes: number[]): ProcessList[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return sizes.map((size, page) => ({
    meta: { known: true, at: 1, total, page: { after: size === 0 ? "" : `cursor ${page + 1}`, size } },
    data: Array.from({ length: size }, (_, place) => someProcess(`${page}-${place}`)),
  }));
}

const text = (file: Blob) =>
  new Promise<string>((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.readAsText(file);
  });

describe("export", () => {
  it("goes on with the cursor until the pages end, and says how far it is", async () => {
    const [first, second] = pages(5000, 3);
    const fetchPage = vi.fn().mockResolvedValueOnce(first).mockResolvedValueOnce(second);
    const onProgress = vi.fn();

    const { file, rows } = await exportRows(
      FORMATS.json,
      { at: 12, sort: "pid" },
      fetchPage,
      onProgress,
      new AbortController().signal,
    );

    expect(fetchPage.mock.calls.map(([params]) => params as unknown)).toEqual([
      { at: 12, sort: "pid", "page[limit]": 5000, "page[cursor]": "" },
      { at: 12, sort: "pid", "page[limit]": 5000, "page[cursor]": "cursor 1" },
    ]);
    expect(onProgress.mock.calls).toEqual([[{ rows: 5000, total: 5003 }], [{ rows: 5003, total: 5003 }]]);
    expect(rows).toBe(5003);
    expect((JSON.parse(await text(file)) as ProcessItem[]).length).toBe(5003);
  });

  it("goes on by the offset where there is no cursor, as in a window", async () => {
    const parts = pages(5000, 3).map((page) => ({ ...page, meta: { ...page.meta, page: { after: "", size: page.data.length } } }));
    const fetchPage = vi.fn().mockResolvedValueOnce(parts[0]).mockResolvedValueOnce(parts[1]);

    const { rows } = await exportRows(FORMATS.csv, { to: 9 }, fetchPage, vi.fn(), new AbortController().signal);

    expect(rows).toBe(5003);
    expect(fetchPage.mock.calls[1]?.[0]).toEqual({ to: 9, "page[limit]": 5000, "page[offset]": 5000 });
  });

  it("goes on as long as pages are full where nobody says how many there are", async () => {
    const parts = pages(5000, 3).map((page) => ({ ...page, meta: { known: true, page: page.meta.page } }));
    const fetchPage = vi.fn().mockResolvedValueOnce(parts[0]).mockResolvedValueOnce(parts[1]);

    const found = await exportRows(FORMATS.csv, {}, fetchPage, vi.fn(), new AbortController().signal);

    expect([found.rows, found.total]).toEqual([5003, null]);
    expect(fetchPage.mock.calls[1]?.[0]).toEqual({ "page[limit]": 5000, "page[cursor]": "cursor 1" });
  });

  it("says how a process ended", () => {
    const ended = someProcess("1", { start: "2026-03-02T14:00:00", ended: "2026-03-02T14:01:30", exit_code: 137, signal: "SIGKILL" });

    expect(FORMATS.csv.begin).toContain(",ended,exit_code,signal,lifetime_seconds,");
    expect(FORMATS.csv.page([ended], true)).toContain(",2026-03-02T14:01:30Z,137,SIGKILL,90,");
  });

  it("writes an empty list as one", async () => {
    const fetchPage = vi.fn().mockResolvedValue(pages(0)[0]);

    const { file } = await exportRows(FORMATS.json, {}, fetchPage, vi.fn(), new AbortController().signal);

    expect(JSON.parse(await text(file))).toEqual([]);
  });

  it("stops at the limit", async () => {
    const fetchPage = vi
      .fn()
      .mockResolvedValue({ ...pages(10)[0], meta: { known: true, total: 99, page: { after: "c", size: 10 } } });

    const found = await exportRows(FORMATS.csv, {}, fetchPage, vi.fn(), new AbortController().signal, 10);

    expect([found.rows, found.total, fetchPage.mock.calls.length]).toEqual([10, 99, 1]);
  });

  it("waits as long as the server says where it asked too often", async () => {
    const fetchPage = vi
      .fn()
      .mockRejectedValueOnce(new ApiError(429, ["Too many requests"], 17))
      .mockResolvedValueOnce(pages(1)[0]);
    const wait = vi.fn().mockResolvedValue(undefined);

    const found = await exportRows(FORMATS.csv, {}, fetchPage, vi.fn(), new AbortController().signal, 10, wait);

    expect(wait.mock.calls[0]?.[0]).toBe(17);
    expect(found.rows).toBe(1);
  });

  it("fails with what the API says", async () => {
    const fetchPage = vi.fn().mockRejectedValue(new ApiError(503, ["busy"]));

    await expect(exportRows(FORMATS.csv, {}, fetchPage, vi.fn(), new AbortController().signal)).rejects.toThrow("busy");
  });

  it("neutralises hostile command lines, users and tags in CSV, and keeps them in JSON", () => {
    const evil = someProcess("1", { cmdline: "=cmd|' /C calc'!A0", user: "@x", tags: ["+a", "b,c"] });

    const line = FORMATS.csv.page([evil], true);

    expect(line).toContain(",'=cmd|' /C calc'!A0,");
    expect(line).toContain(",'@x,");
    expect(line).toContain(`,"'+a,b,c",`);
    expect(JSON.parse(FORMATS.json.page([evil], true))).toMatchObject({ cmdline: "=cmd|' /C calc'!A0", user: "@x" });
  });

  it("has as many cells in each line as in the head", () => {
    const line = FORMATS.csv.page([someProcess("1", { tags: ["a:b"] })], true);

    expect(line.split(",").length).toBe(FORMATS.csv.begin.split(",").length);
  });
});
