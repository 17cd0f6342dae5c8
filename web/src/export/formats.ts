/** Processes -> the text of a file, page by page. */

import type { ProcessItem } from "../api/types";
import { MEASURES } from "../api/measures";
import { csvLine, type Cell } from "../ui/file/csv";
import { secondsOf } from "../ui/format/times";

export type Format = "csv" | "json";

export interface FileFormat {
  readonly mime: string;
  readonly begin: string;
  /** Of one page; `isFirst` where nothing was written before. */
  readonly page: (processes: readonly ProcessItem[], isFirst: boolean) => string;
  readonly end: string;
}

type Row = ProcessItem["attributes"] & { id: string };

const COLUMNS: readonly (readonly [name: string, cell: (row: Row) => Cell])[] = [
  ["host", (row) => row.host],
  ["pid", (row) => row.pid],
  ["ppid", (row) => row.ppid],
  ["command", (row) => commandOf(row.tags) ?? row.comm],
  ["user", (row) => row.user],
  ["start", (row) => `${row.start}Z`],
  ["timestamp", (row) => `${row.timestamp}Z`],
  ["state", (row) => row.numbers.state],
  ...MEASURES.map((measure) => [measure.name, (row: Row) => row.numbers[measure.name]] as const),
  ["ended", (row) => (row.ended === null ? null : `${row.ended}Z`)],
  ["exit_code", (row) => row.exit_code],
  ["signal", (row) => row.signal],
  ["lifetime_seconds", lifetimeOf],
  ["cmdline", (row) => row.cmdline],
  ["exe", (row) => row.exe],
  ["cwd", (row) => row.cwd],
  ["root", (row) => row.root],
  ["uid", (row) => row.uid],
  ["gid", (row) => row.gid],
  ["group", (row) => row.group],
  ["namespace_pid", (row) => row.namespace_pid],
  ["nice", (row) => row.nice],
  ["container_id", (row) => row.container_id],
  ["language", (row) => row.language],
  ["services", (row) => row.services?.map(({ name }) => name).join(",") ?? null],
  ["listens_tcp", (row) => row.listens.tcp?.join(",") ?? null],
  ["listens_udp", (row) => row.listens.udp?.join(",") ?? null],
  ["tags", (row) => row.tags.join(",")],
  ["id", (row) => row.id],
];

function lifetimeOf({ start, ended }: Row): Cell {
  return ended === null ? null : Math.max(0, secondsOf(ended) - secondsOf(start));
}

/** The short name that the tag `command:` gives. */
function commandOf(tags: readonly string[]): string | undefined {
  return tags.find((tag) => tag.startsWith("command:"))?.slice("command:".length);
}

const CSV: FileFormat = {
  mime: "text/csv;charset=utf-8",
  begin: csvLine(COLUMNS.map(([name]) => name)),
  page: (processes) =>
    processes
      .map((process) => {
        const row = { ...process.attributes, id: process.id };
        return csvLine(COLUMNS.map(([, cell]) => cell(row)));
      })
      .join(""),
  end: "",
};

/** An array with a process in each line: a program parses it whole, `grep` finds lines. */
const JSON_LINES: FileFormat = {
  mime: "application/json",
  begin: "[\n",
  page: (processes, isFirst) =>
    processes
      .map((process, index) => {
        const separator = isFirst && index === 0 ? "" : ",\n";
        return separator + JSON.stringify({ id: process.id, ...process.attributes });
      })
      .join(""),
  end: "\n]\n",
};

export const FORMATS: Readonly<Record<Format, FileFormat>> = { csv: CSV, json: JSON_LINES };
