/** Where the pages of the table come from. */

import { get, type Params } from "../../api/client";
import { isTooLargeToSort } from "../../api/tooLarge";
import type { ProcessItem, ProcessList } from "../../api/types";
import type { Scope } from "../../state/scope";
import type { FetchPage } from "./pager";

/** Most rows that can be scrolled to: beyond it browsers no longer know how high an element is. */
export const MAX_ROWS = 500_000;

export function pagesOf(scope: Scope, params: Params, pageSize: number): FetchPage<ProcessItem> {
  const inOrder = pagesInOrder(params, pageSize);
  const isPublicOrder = scope === "window" && params.sort === "start";
  return isPublicOrder ? pagesOfAnyWindow(inOrder, windowPages({ ...params, sort: null }, pageSize)) : inOrder;
}

/** Processes in any order. */
function pagesInOrder(params: Params, pageSize: number): FetchPage<ProcessItem> {
  return async (page, signal) => {
    const list = await get<ProcessList>(
      "/processes",
      { ...params, "page[limit]": pageSize, "page[offset]": page * pageSize },
      signal,
    );
    const total = list.meta.total ?? list.data.length;
    return { rows: list.data, rowCount: Math.min(total, MAX_ROWS), total, isKnown: list.meta.known, at: list.meta.at ?? null };
  };
}

/** In the order of the public API a window may have any size. */
function pagesOfAnyWindow(inOrder: FetchPage<ProcessItem>, oneByOne: FetchPage<ProcessItem>): FetchPage<ProcessItem> {
  let isTooLarge = false;
  return async (page, signal) => {
    if (!isTooLarge) {
      try {
        return await inOrder(page, signal);
      } catch (error) {
        if (!isTooLargeToSort(error)) throw error;
        isTooLarge = true;
      }
    }
    return oneByOne(page, signal);
  };
}

/** All processes seen in a window, the oldest start first. Each page tells only where the next one begins: there is one
 * page more than have been seen, until the last one. */
export function windowPages(params: Params, pageSize: number): FetchPage<ProcessItem> {
  const cursors = [""];
  let rowCount: number | null = null;
  const fetchPage = async (page: number, signal: AbortSignal): Promise<ProcessList> => {
    const cursor = cursors[page];
    if (cursor === undefined) {
      await fetchPage(page - 1, signal);
      if (cursors[page] === undefined) return { meta: { known: true, page: { after: "", size: 0 } }, data: [] };
    }
    const list = await get<ProcessList>(
      "/processes",
      { ...params, "page[limit]": pageSize, "page[cursor]": cursors[page] ?? "" },
      signal,
    );
    if (list.data.length === pageSize) cursors[page + 1] = list.meta.page.after;
    else rowCount = page * pageSize + list.data.length;
    return list;
  };
  return async (page, signal) => {
    const { data, meta } = await fetchPage(page, signal);
    const most = Math.min(rowCount ?? cursors.length * pageSize, MAX_ROWS);
    return { rows: data, rowCount: most, total: null, isKnown: meta.known, at: null };
  };
}
