/** What happened to many processes alike, said once. */

import type { ChangedProcess, ProcessItem } from "../../api/types";
import { discoveredTexts } from "../../ui/format/discovery";
import { processName } from "../../ui/format/processNames";

/** Things that are alike, in the order of the first of each. */
export interface Alike<T> {
  key: string;
  items: [T, ...T[]];
}

function alike<T>(items: readonly T[], keyOf: (item: T) => unknown): Alike<T>[] {
  const found = new Map<string, Alike<T>>();
  for (const item of items) {
    const key = JSON.stringify(keyOf(item));
    const before = found.get(key);
    if (before) before.items.push(item);
    else found.set(key, { key, items: [item] });
  }
  return [...found.values()];
}

/** Processes of the same command line and user: on one host or many. */
export function alikeProcesses(processes: readonly ProcessItem[]): Alike<ProcessItem>[] {
  return alike(processes, ({ attributes }) => [processName(attributes), attributes.cmdline, attributes.user]);
}

/** Numbers that differ from host to host without meaning anything. */
const NUMBERED = new Set(["ppid"]);

/** Changes of the same fields of the same command, from the same values to the same ones. */
export function alikeChanges(changed: readonly ChangedProcess[]): Alike<ChangedProcess>[] {
  return alike(changed, ({ before, after, fields }) => [
    processName(after.attributes),
    fields.map((field) => [field, NUMBERED.has(field) ? [] : differenceOf(before, after, field)]),
  ]);
}

export interface FieldDifference {
  gone: string[];
  come: string[];
}

/** Values of one side alone. */
export function differenceOf(before: ProcessItem, after: ProcessItem, field: string): FieldDifference {
  const [old, current] = [valuesOf(before, field), valuesOf(after, field)];
  return { gone: old.filter((text) => !current.includes(text)), come: current.filter((text) => !old.includes(text)) };
}

/** Whether the values of a field are the same for all that are alike. */
export function isComparable(field: string): boolean {
  return !NUMBERED.has(field);
}

function valuesOf(process: ProcessItem, field: string): string[] {
  const discovered = discoveredTexts(process.attributes, field);
  if (discovered !== null) return discovered;
  const value: unknown = Object.entries(process.attributes).find(([name]) => name === field)?.[1];
  if (Array.isArray(value)) return value.map(String);
  return [typeof value === "string" || typeof value === "number" ? String(value) : ""];
}

/** Each host once, by name. */
export function hostsOf(processes: readonly ProcessItem[]): string[] {
  return [...new Set(processes.map(({ attributes }) => attributes.host))].sort();
}
