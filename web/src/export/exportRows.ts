/** All pages of a query -> one file, a page in memory at a time. */

import { ApiError, type Params } from "../api/client";
import type { ProcessList } from "../api/types";
import type { FileFormat } from "./formats";

export const MAX_ROWS = 500_000;
const PAGE = 5000;
const MAX_WAITS = 5;

export interface Progress {
  rows: number;
  /** Of the query; null until the first page has come, or where the server does not say. */
  total: number | null;
}

export interface ExportResult {
  file: Blob;
  rows: number;
  /** Of the query; null where the server does not say. */
  total: number | null;
}

type Fetch = (params: Params, signal: AbortSignal) => Promise<ProcessList>;

/** Rejects with what the API says, or with an AbortError. `wait` is for the rate limit. */
export async function exportRows(
  format: FileFormat,
  params: Params,
  fetchPage: Fetch,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  most = MAX_ROWS,
  wait: (seconds: number, signal: AbortSignal) => Promise<void> = sleep,
): Promise<ExportResult> {
  // Blobs, not strings: a browser keeps those outside of the page's memory, on disk if there are many.
  const parts: Blob[] = [new Blob([format.begin])];
  let rows = 0;
  let place: Params = { "page[cursor]": "" };
  for (;;) {
    const limit = Math.min(PAGE, most - rows);
    const page = await withRetries(
      () => fetchPage({ ...params, "page[limit]": limit, ...place }, signal),
      (seconds) => wait(seconds, signal),
    );
    if (page.data.length > 0) parts.push(new Blob([format.page(page.data, rows === 0)]));
    rows += page.data.length;
    const { total = null } = page.meta;
    onProgress({ rows, total });
    const cursor = page.meta.page.after;
    // A window in order has no cursor.
    place = cursor === "" ? { "page[offset]": rows } : { "page[cursor]": cursor };
    if (page.data.length < limit || rows >= most || (total !== null && rows >= total)) {
      parts.push(new Blob([format.end]));
      return { file: new Blob(parts, { type: format.mime }), rows, total };
    }
  }
}

/** Tries again after a rate limit, as long as the server says to wait. */
async function withRetries<T>(ask: () => Promise<T>, wait: (seconds: number) => Promise<void>): Promise<T> {
  for (let waits = 0; ; waits += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 429 || waits >= MAX_WAITS) throw error;
      await wait(error.retryAfter ?? 5);
    }
  }
}

function sleep(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      window.clearTimeout(timer);
      reject(new DOMException("Cancelled", "AbortError"));
    };
    const timer = window.setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    signal.addEventListener("abort", stop, { once: true });
  });
}
