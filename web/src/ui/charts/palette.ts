/** Colours of series and points: each at least 3:1 against the ground of its theme, and told apart by most eyes. */

export type Scheme = "light" | "dark";

const COLORS: Record<Scheme, readonly string[]> = {
  light: ["#1c7ed6", "#c2410c", "#2b8a3e", "#9c36b5", "#0b7285", "#c2255c", "#5f3dc4", "#846200", "#495057", "#a61e4d"],
  dark: ["#4dabf7", "#ffa94d", "#69db7c", "#da77f2", "#3bc9db", "#f783ac", "#b197fc", "#ffd43b", "#dee2e6", "#ff8787"],
};

const REST: Record<Scheme, string> = { light: "#6c757d", dark: "#a6a7ab" };

type Ink = Readonly<Record<"text" | "grid" | "critical" | "warning", string>>;

export const CHART_INK: Record<Scheme, Ink> = {
  light: { text: "#495057", grid: "rgba(0, 0, 0, 0.08)", critical: "#b92323", warning: "#935400" },
  dark: { text: "#c1c2c5", grid: "rgba(255, 255, 255, 0.09)", critical: "#ff8f8f", warning: "#e5ab55" },
};

/** The colour at an index of the palette, which starts anew after its last; null is for what has no value, and for the rest. */
export function colorOf(colorIndex: number | null, scheme: Scheme): string {
  const colors = COLORS[scheme];
  return colorIndex === null ? REST[scheme] : (colors[colorIndex % colors.length] ?? REST[scheme]);
}

/** Beyond the colours there are, lines are dashed. */
export function isDashed(colorIndex: number | null): boolean {
  return colorIndex !== null && colorIndex >= COLORS.light.length;
}

export type ColorIndexes = ReadonlyMap<string, number>;

/**
 * Gives each value an index of the palette. A value keeps the index it has, so that a colour means the same while the
 * ranks change. Gives the same map where no value is new.
 */
export function assignColors(before: ColorIndexes, values: readonly string[]): ColorIndexes {
  if (values.every((value) => before.has(value))) return before;
  const kept = new Map([...before].filter(([value]) => values.includes(value)));
  const taken = new Set(kept.values());
  let next = 0;
  for (const value of values) {
    if (kept.has(value)) continue;
    while (taken.has(next)) next += 1;
    taken.add(next);
    kept.set(value, next);
  }
  return kept;
}
