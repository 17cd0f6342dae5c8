import type { ExitCost } from "../../api/types";
import { formatBytes, formatDuration, UNKNOWN } from "../../ui/format/numbers";

/** `0.04 s`, `12.3 s`, `3 min 20 s`: short ones have fractions. */
export function cpuTimeText({ cpu_user_seconds, cpu_system_seconds }: ExitCost): string {
  if (cpu_user_seconds === null || cpu_system_seconds === null) return UNKNOWN;
  const seconds = cpu_user_seconds + cpu_system_seconds;
  if (seconds >= 59.95) return formatDuration(seconds);
  return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
}

/** In a few words; empty where nothing is known. */
export function costText(cost: ExitCost | null): string {
  if (cost === null) return "";
  const time = cpuTimeText(cost);
  const parts = [
    ...(time === UNKNOWN ? [] : [`${time} of CPU`]),
    ...(cost.peak_rss_bytes === null ? [] : [`at most ${formatBytes(cost.peak_rss_bytes)}`]),
  ];
  return parts.join(", ");
}
