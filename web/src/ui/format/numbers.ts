/** Numbers as people read them. What is not known is an en dash, never 0. */

export const UNKNOWN = "–";

type Number = number | null | undefined;

const counts = new Intl.NumberFormat("en-US");
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

export function formatCount(count: Number): string {
  return count === null || count === undefined ? UNKNOWN : counts.format(count);
}

/** `1.2k`, `104k`, `3.1M`: where there is little room. */
export function formatShortCount(count: Number): string {
  if (count === null || count === undefined) return UNKNOWN;
  for (const [limit, letter] of [
    [999_500_000, "G"],
    [999_500, "M"],
    [999.5, "k"],
  ] as const) {
    if (count >= limit) {
      const scaled = count / { G: 1e9, M: 1e6, k: 1e3 }[letter];
      return `${scaled >= 99.95 ? Math.round(scaled) : trimmed(scaled.toFixed(1))}${letter}`;
    }
  }
  return String(Math.round(count));
}

/** Of one core, so that it may be more than 100. */
export function formatPercent(percent: Number): string {
  if (percent === null || percent === undefined) return UNKNOWN;
  if (percent === 0) return "0%";
  if (percent < 0.05) return "<0.1%";
  return percent >= 999.95 ? `${counts.format(Math.round(percent))}%` : `${percent.toFixed(1)}%`;
}

/** `0.25 cores`, `3.1 cores`, `500 cores`: what many processes use together. */
export function formatCores(cores: Number): string {
  if (cores === null || cores === undefined) return UNKNOWN;
  if (cores >= 99.95) return `${counts.format(Math.round(cores))} cores`;
  const text = trimmed(cores.toFixed(cores >= 9.995 ? 1 : 2));
  return `${text} ${text === "1" ? "core" : "cores"}`;
}

export function formatBytes(bytes: Number): string {
  if (bytes === null || bytes === undefined) return UNKNOWN;
  let amount = bytes;
  let unit = 0;
  // 1023.5 would be shown as 1024.
  while (amount >= 1023.5 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  const text = unit === 0 || amount >= 99.95 ? String(Math.round(amount)) : amount.toFixed(1);
  return `${text} ${UNITS[unit]}`;
}

export function formatBytesPerSecond(bytes: Number): string {
  return bytes === null || bytes === undefined ? UNKNOWN : `${formatBytes(bytes)}/s`;
}

export function formatPerSecond(rate: Number): string {
  if (rate === null || rate === undefined) return UNKNOWN;
  return `${rate >= 99.95 || rate === 0 ? counts.format(Math.round(rate)) : rate.toFixed(1)}/s`;
}

/** `45 s`, `3 min`, `2 h`, `1 d 4 h`: the two greatest parts. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

function trimmed(text: string): string {
  return text.replace(/\.0+$/, "");
}
