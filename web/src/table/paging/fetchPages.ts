/** Where the pages of the table come from. */

import { get, type Params } from "../../api/client";
import type { ProcessItem, ProcessList } from "../../api/types";
import type { Scope } from "../../state/scope";
import type { FetchPage } from "./pager";

/** Most rows that can be scrolled to: beyond it browsers no longer know how high an element is. */
export const MAX_ROWS = 500_000;

export function pagesOf(scope: Scope, params: Params, pageSize: number): FetchPage<ProcessItem> {
  return scope === "window" ? windowPages(params, pageSize) : instantPages(params, pageSize);
}

/** Processes at an instant, in any order. */
function instantPages(params: Params, pageSize: number): FetchPage<ProcessItem> {
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
