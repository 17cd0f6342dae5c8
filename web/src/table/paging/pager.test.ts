import { beforeEach, expect, test, vi } from "vitest";

import { Pager, type FetchedPage } from "./pager";

interface Asked {
  page: number;
  signal: AbortSignal;
  answer: (rowCount?: number) => Promise<void>;
  fail: () => Promise<void>;
}

const OPTIONS = { pageSize: 10, maxPages: 4, settleMs: 50 };
let asked: Asked[];
let pager: Pager<string>;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  pager = new Pager<string>(
    (page, signal) =>
      new Promise<FetchedPage<string>>((resolve, reject) => {
        asked.push({
          page,
          signal,
          answer: async (rowCount = 1000) => {
            resolve({ rows: Array.from({ length: 10 }, (_, row) => `row ${page * 10 + row}`), rowCount, total: rowCount, isKnown: true, at: null });
            await vi.advanceTimersByTimeAsync(0);
          },
          fail: async () => {
            reject(new Error("broken"));
            await vi.advanceTimersByTimeAsync(0);
          },
        });
      }),
    () => undefined,
    OPTIONS,
  );
});

async function settle() {
  await vi.advanceTimersByTimeAsync(OPTIONS.settleMs);
}

const pagesAsked = () => asked.map(({ page }) => page);

test("the first page is asked for at once, and tells how many rows there are", async () => {
  pager.show(0, 5);
  expect(pagesAsked()).toEqual([0]);

  await asked[0]?.answer();

  expect(pager.rowCount).toBe(1000);
  expect(pager.row(3)).toBe("row 3");
  expect(pager.isReady).toBe(true);
});

test("all pages that are looked at are asked for, once", async () => {
  pager.show(0, 5);
  await asked[0]?.answer();
  pager.show(8, 25);
  await settle();
  pager.show(8, 25);
  await settle();

  expect(pagesAsked()).toEqual([0, 1, 2]);
});

test("pages that are scrolled past are not asked for", async () => {
  pager.show(0, 5);
  await asked[0]?.answer();
  for (const row of [100, 200, 300, 400]) pager.show(row, row + 5);
  await settle();

  expect(pagesAsked()).toEqual([0, 40]);
});

test("what is under way for rows that are no longer looked at is given up", async () => {
  pager.show(0, 5);
  await asked[0]?.answer();
  pager.show(500, 505);
  await settle();
  pager.show(700, 705);

  expect(asked[1]?.signal.aborted).toBe(true);
  await asked[1]?.answer();
  expect(pager.row(500)).toBeUndefined();
});

test("no more pages are held than its memory fits, and the ones nearby stay", async () => {
  for (let page = 0; page < 10; page += 1) {
    pager.show(page * 10, page * 10 + 5);
    await settle();
    await asked.at(-1)?.answer();
  }

  expect(pager.heldPages).toBe(4);
  expect(pager.row(95)).toBe("row 95");
  expect(pager.row(75)).toBe("row 75");
  expect(pager.row(5)).toBeUndefined();
});

test("an error is told, and asking again makes it good", async () => {
  pager.show(0, 5);
  await asked[0]?.fail();
  expect(pager.error?.message).toBe("broken");

  pager.retry();
  await asked[1]?.answer();

  expect(pager.error).toBeNull();
  expect(pager.row(0)).toBe("row 0");
});

test("what is beyond the end is not asked for", async () => {
  pager.show(0, 5);
  await asked[0]?.answer(12);
  pager.show(5, 400);
  await settle();

  expect(pagesAsked()).toEqual([0, 1]);
});

test("a closed one gives up all that is under way", () => {
  pager.show(0, 5);
  pager.close();

  expect(asked[0]?.signal.aborted).toBe(true);
});
