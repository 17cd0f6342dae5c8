/** Moments, in the viewer's zone; and in UTC, for where one hovers. */

const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
const DAY = { month: "short", day: "numeric" } as const;

const timeOfDay = new Intl.DateTimeFormat(undefined, TIME);
const dayAndTime = new Intl.DateTimeFormat(undefined, { ...DAY, ...TIME });
const fullDate = new Intl.DateTimeFormat(undefined, { year: "numeric", ...DAY, ...TIME });

/** The Unix seconds of a moment as the API writes it in attributes: UTC, without a zone. */
export function secondsOf(text: string): number {
  return Math.floor(Date.parse(`${text.replace(/Z$/, "")}Z`) / 1000);
}

/** As short as can be: without the day if it is today's, without the year if it is this one's. */
export function formatMoment(seconds: number, now: number = Date.now() / 1000): string {
  const date = new Date(seconds * 1000);
  const today = new Date(now * 1000);
  if (date.toDateString() === today.toDateString()) return timeOfDay.format(date);
  return (date.getFullYear() === today.getFullYear() ? dayAndTime : fullDate).format(date);
}

export function formatDateTime(seconds: number): string {
  return fullDate.format(new Date(seconds * 1000));
}

/** `2026-03-02 14:21:07 UTC` */
export function formatUtc(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** The value of an `<input type="datetime-local">`, in the viewer's zone. */
export function toInputValue(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (number: number) => String(number).padStart(2, "0");
  const day = `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Of such a value; null where it is none. */
export function fromInputValue(text: string): number | null {
  const milliseconds = text ? new Date(text).getTime() : NaN;
  return Number.isNaN(milliseconds) ? null : Math.floor(milliseconds / 1000);
}
