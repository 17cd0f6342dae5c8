/** Groups -> the text of a file, with the columns that are shown. */

import type { MeasuredGroup } from "../api/types";
import { csvLine } from "../ui/file/csv";
import type { GroupView } from "./groupColumns";

export type Format = "csv" | "json";

export const MIME: Readonly<Record<Format, string>> = { csv: "text/csv;charset=utf-8", json: "application/json" };

export function groupFile(format: Format, view: GroupView, groups: readonly MeasuredGroup[]): Blob {
  const text = format === "csv" ? csvText(view, groups) : jsonText(view, groups);
  return new Blob([text], { type: MIME[format] });
}

/** A column for each key, the count, and for each measure its statistics and of how many processes it is known. */
function csvText({ keys, measures, statistics }: GroupView, groups: readonly MeasuredGroup[]): string {
  const names = keys.split(",");
  const head = [...names, "count", ...measures.flatMap((name) => [...statistics, "known"].map((one) => `${one}:${name}`))];
  const lines = groups.map((group) => {
    const numbers = measures.flatMap((name) => {
      const measured = group.numbers[name];
      return [...statistics.map((one) => measured?.[one]), measured?.known];
    });
    return csvLine([...[group.value, group.second].slice(0, names.length), group.count, ...numbers]);
  });
  return csvLine(head) + lines.join("");
}

/** An array with a group in each line, as the API has it, with the names of the keys. */
function jsonText({ keys }: GroupView, groups: readonly MeasuredGroup[]): string {
  const [first = "", second] = keys.split(",");
  const lines = groups.map((group) => {
    const values = { [first]: group.value, ...(second === undefined ? {} : { [second]: group.second ?? null }) };
    return JSON.stringify({ values, count: group.count, numbers: group.numbers });
  });
  return `[\n${lines.join(",\n")}\n]\n`;
}
