import type { ProcessAttributes } from "../../api/types";

const COMMAND = "command:";

/** Of a process of which nothing but its pid, its start and its end is known. */
export const UNREAD = "(ended before it could be read)";

/** The short name that people know a process by: what its tag says. */
export function processName(process: Pick<ProcessAttributes, "tags" | "comm" | "cmdline">): string {
  const command = process.tags.find((tag) => tag.startsWith(COMMAND))?.slice(COMMAND.length);
  return [command, process.comm, process.cmdline].find((name) => name) ?? UNREAD;
}

/** How a run went, in a few words. */
export function outcomeOf(process: Pick<ProcessAttributes, "ended" | "exit_code" | "signal" | "oom_killed">): string {
  if (process.oom_killed === true) return "OOM-killed";
  if (process.signal !== null) return `killed by ${process.signal}`;
  if (process.exit_code !== null) return `exit code ${process.exit_code}`;
  return process.ended === null ? "end not seen" : "ended";
}
