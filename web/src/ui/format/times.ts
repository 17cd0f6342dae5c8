/** Moments, in the viewer's zone or in UTC as he has chosen; and in UTC, for where one hovers. */

import { timeZone, zoned } from "./zone";

const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
const DAY = { month: "short", day: "numeric" } as const;

const timeOfDay = zoned(TIME);
const dayAndTime = zoned({ ...DAY, ...TIME });
const fullDate = zoned({ year: "numeric", ...DAY, ...TIME });
const theDay = zoned({ year: "numeric", ...DAY });
const theYear = zoned({ year: "numeric" });

/** The Unix seconds of a moment as the API writes it in attributes: UTC, without a zone. */
export function secondsOf(text: string): number {
  return Math.floor(Date.parse(`${text.replace(/Z$/, "")}Z`) / 1000);
}

/** As short as can be: without the day if it is today's, without the year if it is this one's. */
export function formatMoment(seconds: number, now: number = Date.now() / 1000): string {
  const date = new Date(seconds * 1000);
  const today = new Date(now * 1000);
  if (theDay(date) === theDay(today)) return timeOfDay(date);
  return theYear(date) === theYear(today) ? dayAndTime(date) : fullDate(date);
}

export function formatDateTime(seconds: number): string {
  return fullDate(new Date(seconds * 1000));
}

/** `2026-03-02 14:21:07 UTC` */
export function formatUtc(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** The value of an `<input type="datetime-local">`, in the zone that is chosen. */
export function toInputValue(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (timeZone() === "UTC") return date.toISOString().slice(0, 19);
  const two = (number: number) => String(number).padStart(2, "0");
  const day = `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Of such a value; null where it is none. */
export function fromInputValue(text: string): number | null {
  const milliseconds = text ? new Date(timeZone() === "UTC" ? `${text}Z` : text).getTime() : NaN;
  return Number.isNaN(milliseconds) ? null : Math.floor(milliseconds / 1000);
}
