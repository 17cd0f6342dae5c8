import type { ProcessAttributes } from "../api/types";

const COMMAND = "command:";

/** The short name that people know a process by: what its tag says. */
export function nameOf(process: Pick<ProcessAttributes, "tags" | "comm" | "cmdline">): string {
  const command = process.tags.find((tag) => tag.startsWith(COMMAND))?.slice(COMMAND.length);
  return [command, process.comm, process.cmdline].find((name) => name) ?? "without a name";
}

/** How a run went, in a few words. */
export function outcomeOf(process: Pick<ProcessAttributes, "ended" | "exit_code" | "signal">): string {
  if (process.signal !== null) return `killed by ${process.signal}`;
  if (process.exit_code !== null) return `exit code ${process.exit_code}`;
  return process.ended === null ? "not seen to end" : "ended";
}
