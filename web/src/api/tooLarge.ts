import { ApiError } from "./client";

/** Whether the server says that a window has too many processes to be sorted. */
export function isTooLargeToSort(error: unknown): boolean {
  return error instanceof ApiError && error.status === 400 && /^more than \d+ processes/.test(error.message);
}
