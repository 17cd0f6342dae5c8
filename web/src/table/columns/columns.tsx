/** The columns of the table: what each shows, and what the server sorts by. */

import type { ReactNode } from "react";

import { MEASURES, type MeasureInfo, type Unit } from "../../api/measures";
import type { ProcessItem } from "../../api/types";
import { languageText, listensText, servicesText } from "../../ui/format/discovery";
import { measureOf } from "../../ui/format/measures";
import {
  formatBytes,
  formatBytesPerSecond,
  formatCores,
  formatCount,
  formatDuration,
  formatPercent,
  formatPerSecond,
  UNKNOWN,
} from "../../ui/format/numbers";
import { processName } from "../../ui/format/processNames";
import { MiddleCut } from "../../ui/format/MiddleCut";
import { brief } from "../../ui/format/text";
import { formatMoment, formatUtc, secondsOf } from "../../ui/format/times";
import classes from "./columns.module.css";

export interface Column {
  id: string;
  label: string;
  /** What the server calls it; null where it does not sort by it. */
  sort: string | null;
  /** In pixels; the least width of a column that grows. */
  width: number;
  grows?: boolean;
  isNumber?: boolean;
  /** Stays in sight while others scroll. */
  isFrozen?: boolean;
  cell: (process: ProcessItem) => ReactNode;
  /** What is shown where one hovers. */
  title?: (process: ProcessItem) => string;
}

/** Tags that have a column of their own. */
const TAGS_WITH_COLUMN = /^(host|user|command|state_zombie):/;
const TAGS_SHOWN = 4;
/** Before the key, in the id of a column of a tag. */
const TAG_ID = "tag:";
export const LEAST_WIDTH = 48;
export const MOST_WIDTH = 1200;

function valuesOf(process: ProcessItem, key: string): string[] {
  return process.attributes.tags.filter((tag) => tag.startsWith(`${key}:`)).map((tag) => tag.slice(key.length + 1));
}

function tagOf(process: ProcessItem, key: string): string {
  return valuesOf(process, key)[0] ?? "";
}

/** The id of the column of a tag key. */
export function tagColumnId(key: string): string {
  return TAG_ID + key.trim().toLowerCase();
}

/** All values of a tag key: a process may have several. */
function tagColumn(key: string): Column {
  return {
    id: TAG_ID + key,
    label: brief(key, 60),
    sort: TAG_ID + key,
    width: 150,
    cell: (process) => {
      const values = valuesOf(process, key);
      return values.length === 0 ? UNKNOWN : <Tags tags={values} />;
    },
    title: (process) => brief(valuesOf(process, key).join("  "), 1000),
  };
}

/** The first of them; how many more there are is said. */
function Tags({ tags }: { tags: readonly string[] }) {
  return (
    <>
      {tags.slice(0, TAGS_SHOWN).map((tag, index) => (
        <span key={`${index}:${tag}`} className={classes.tag}>
          {brief(tag, 60)}
        </span>
      ))}
      {tags.length > TAGS_SHOWN && <span className={classes.moreTags}>+{tags.length - TAGS_SHOWN}</span>}
    </>
  );
}

function text(id: string, label: string, width: number, of: (process: ProcessItem) => string, sort?: string): Column {
  return {
    id,
    label,
    width,
    sort: sort ?? null,
    cell: (process) => brief(of(process)) || UNKNOWN,
    title: (process) => brief(of(process), 1000),
  };
}

const FORMATS: Record<Unit, (value: number | null) => string> = {
  percent: formatPercent,
  cores: formatCores,
  bytes: formatBytes,
  "bytes/s": formatBytesPerSecond,
  count: formatCount,
  "count/s": formatPerSecond,
};

function number({ name, unit, column: [label, width] }: MeasureInfo): Column {
  const format = FORMATS[unit];
  return {
    id: name,
    label,
    width,
    sort: name,
    isNumber: true,
    cell: ({ attributes }) => format(attributes.numbers[name]),
  };
}

function whole(id: "pid" | "ppid" | "uid" | "gid" | "nice" | "namespace_pid" | "exit_code", label: string): Column {
  return {
    id,
    label,
    width: 82,
    sort: id,
    isNumber: true,
    cell: ({ attributes }) => attributes[id] ?? UNKNOWN,
  };
}

function moment(id: "start" | "timestamp" | "ended", label: string): Column {
  return {
    id,
    label,
    width: 136,
    sort: id,
    cell: ({ attributes }) => (attributes[id] === null ? UNKNOWN : formatMoment(secondsOf(attributes[id]))),
    title: ({ attributes }) => (attributes[id] === null ? "" : formatUtc(secondsOf(attributes[id]))),
  };
}

export const COLUMNS: Column[] = [
  {
    id: "command",
    label: "Command",
    sort: "command",
    width: 320,
    grows: true,
    isFrozen: true,
    cell: (process) => (
      <>
        <b className={classes.command}>{brief(processName(process.attributes), 60)}</b>
        <span className={classes.cmdline}>{brief(process.attributes.cmdline)}</span>
      </>
    ),
    title: (process) => brief(process.attributes.cmdline, 1000),
  },
  {
    ...number(measureOf("cpu_total_percent")),
    cell: ({ attributes: { numbers } }) => (
      <>
        <span
          className={classes.meter}
          style={{ width: `${Math.min(100, Math.max(0, numbers.cpu_total_percent ?? 0))}%` }}
        />
        <span className={classes.metered}>{formatPercent(numbers.cpu_total_percent)}</span>
      </>
    ),
    title: () => "Percent of one core",
  },
  number(measureOf("rss_bytes")),
  text("user", "User", 104, ({ attributes }) => attributes.user, "user"),
  whole("pid", "PID"),
  {
    ...text("host", "Host", 170, ({ attributes }) => attributes.host, "host"),
    cell: ({ attributes }) => <MiddleCut text={brief(attributes.host) || UNKNOWN} />,
  },
  moment("start", "Started"),
  text(
    "container",
    "Container",
    120,
    (process) => tagOf(process, "container_name") || process.attributes.container_id.slice(0, 12),
    "container_id",
  ),
  {
    id: "tags",
    label: "Tags",
    sort: "tags",
    width: 320,
    cell: ({ attributes }) => <Tags tags={attributes.tags.filter((tag) => !TAGS_WITH_COLUMN.test(tag))} />,
    title: ({ attributes }) => brief(attributes.tags.join("  "), 1000),
  },
  text("cmdline", "Command line", 360, ({ attributes }) => attributes.cmdline, "cmdline"),
  text("exe", "Executable", 220, ({ attributes }) => attributes.exe, "exe"),
  text("cwd", "Working directory", 180, ({ attributes }) => attributes.cwd, "cwd"),
  text("comm", "comm", 120, ({ attributes }) => attributes.comm, "comm"),
  text("group", "Unix group", 100, ({ attributes }) => attributes.group, "group"),
  text("language", "Language", 90, ({ attributes }) => languageText(attributes.language), "tag:language"),
  text("services", "Services", 150, ({ attributes }) => servicesText(attributes.services), "tag:service"),
  text("listens", "Listens on", 130, ({ attributes }) => listensText(attributes.listens), "tag:listens"),
  whole("ppid", "Parent PID"),
  whole("uid", "UID"),
  whole("gid", "GID"),
  whole("nice", "Nice"),
  whole("namespace_pid", "Namespace PID"),
  text("state", "State", 70, ({ attributes }) => attributes.numbers.state ?? "", "state"),
  ...MEASURES.filter(({ name }) => name !== "cpu_total_percent" && name !== "rss_bytes").map(number),
  moment("timestamp", "Last seen"),
  moment("ended", "Ended"),
  whole("exit_code", "Exit code"),
  text("signal", "Signal", 90, ({ attributes }) => attributes.signal ?? "", "signal"),
  {
    id: "lifetime",
    label: "Lifetime",
    sort: "lifetime",
    width: 92,
    isNumber: true,
    cell: ({ attributes: { start, ended } }) =>
      ended === null ? UNKNOWN : formatDuration(Math.max(0, secondsOf(ended) - secondsOf(start))),
  },
];

/** The last come first. */
const MOMENTS = new Set(["start", "timestamp", "ended"]);

const BY_ID = new Map(COLUMNS.map((column) => [column.id, column]));

/** Those of a view, in its order. Ids that no column has are left out. */
export function columnsOf(ids: readonly string[]): Column[] {
  const found = ids.flatMap((id) => BY_ID.get(id) ?? (id.length > TAG_ID.length && id.startsWith(TAG_ID) ? tagColumn(id.slice(TAG_ID.length)) : []));
  return found.length > 0 ? found : COLUMNS.slice(0, 9);
}

/** The widths that a view gives to columns: `command:400,host:90`. What makes no sense is left out. */
export function parseWidths(text: string): Map<string, number> {
  const widths = new Map<string, number>();
  for (const part of text.split(",")) {
    const colon = part.lastIndexOf(":");
    const width = part.slice(colon + 1);
    if (colon > 0 && /^\d{1,4}$/.test(width)) widths.set(part.slice(0, colon), withinWidths(Number(width)));
  }
  return widths;
}

export function formatWidths(widths: ReadonlyMap<string, number>): string {
  return [...widths].map(([id, width]) => `${id}:${width}`).join(",");
}

export function withinWidths(width: number): number {
  return Math.round(Math.max(LEAST_WIDTH, Math.min(width, MOST_WIDTH)));
}

/** With the widths that were chosen; a column that has one grows no further. */
export function withWidths(columns: readonly Column[], widths: ReadonlyMap<string, number>): Column[] {
  return columns.map((column) => {
    const width = widths.get(column.id);
    return width === undefined ? column : { ...column, width, grows: false };
  });
}

/** The order after a click on a header: greatest first for numbers, least first for texts, then the other way. */
export function nextSort(column: Column, sort: string): string {
  if (column.sort === null) return sort;
  const first = column.isNumber || MOMENTS.has(column.id) ? `-${column.sort}` : column.sort;
  const second = first.startsWith("-") ? column.sort : `-${column.sort}`;
  return sort === first ? second : first;
}

/** The ids with one of them moved to an index. */
export function moved(ids: readonly string[], id: string, to: number): string[] {
  const others = ids.filter((one) => one !== id);
  const index = Math.max(0, Math.min(to, others.length));
  return [...others.slice(0, index), id, ...others.slice(index)];
}
