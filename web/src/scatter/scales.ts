/** Places of points: values -> pixels, ticks, and which point is nearest. */

export type ScaleType = "linear" | "log";

export interface Scale {
  readonly type: ScaleType;
  readonly least: number;
  readonly greatest: number;
}

/** The scale for some values. 0 has no logarithm: it goes to the edge, a step below the least value above 0. */
export function scaleOf(values: readonly number[], type: ScaleType): Scale {
  let greatest = 0;
  let leastAbove = Infinity;
  for (const value of values) {
    if (value > greatest) greatest = value;
    if (value > 0 && value < leastAbove) leastAbove = value;
  }
  if (type === "linear") return { type, least: 0, greatest: greatest > 0 ? greatest * 1.05 : 1 };
  if (greatest <= 0) return { type, least: 0.1, greatest: 1 };
  const least = 10 ** (Math.floor(Math.log10(leastAbove) + 1e-9) - (leastAbove < greatest ? 0 : 1));
  return { type, least: Math.max(least, greatest / 1e9), greatest: greatest * 1.3 };
}

/** From 0 at the least to 1 at the greatest. */
export function positionOf(scale: Scale, value: number): number {
  const { type, least, greatest } = scale;
  if (type === "linear") return (value - least) / (greatest - least);
  const position = Math.log(Math.max(value, least) / least) / Math.log(greatest / least);
  return Math.min(Math.max(position, 0), 1);
}

/** Round values between the ends, about `wanted` of them. `base` is 1024 for bytes. */
export function ticksOf(scale: Scale, wanted: number, base: 10 | 1024 = 10): number[] {
  const { type, least, greatest } = scale;
  const found: number[] = [];
  if (type === "log") {
    const factor = base === 10 ? 10 : 2;
    const powers = Math.log(greatest / least) / Math.log(factor);
    const stride = Math.max(1, Math.ceil(powers / Math.max(wanted, 1)));
    const first = Math.ceil(Math.log(least) / Math.log(factor) - 1e-9);
    for (let power = first; factor ** power <= greatest * (1 + 1e-9); power += stride) found.push(factor ** power);
    return found;
  }
  const step = roundStep((greatest - least) / Math.max(wanted, 1), base);
  for (let at = 0; at * step <= greatest * (1 + 1e-9); at += 1) found.push(at * step);
  return found;
}

function roundStep(rough: number, base: 10 | 1024): number {
  if (base === 1024) return 2 ** Math.ceil(Math.log2(rough) - 1e-9);
  const power = 10 ** Math.floor(Math.log10(rough) + 1e-9);
  return ([1, 2, 5, 10].find((step) => step * power >= rough * (1 - 1e-9)) ?? 10) * power;
}

/** Points by squares, so that the nearest is found without looking at ten thousand. */
export class Nearest {
  private readonly squares = new Map<string, number[]>();

  constructor(
    private readonly xs: readonly number[],
    private readonly ys: readonly number[],
    private readonly reach: number,
  ) {
    xs.forEach((x, point) => {
      const key = this.square(x, ys[point] ?? 0);
      const found = this.squares.get(key);
      if (found === undefined) this.squares.set(key, [point]);
      else found.push(point);
    });
  }

  /** Null where none is within reach. */
  at(x: number, y: number): number | null {
    let nearest: number | null = null;
    let distance = this.reach ** 2;
    for (const dx of [-1, 0, 1]) {
      for (const dy of [-1, 0, 1]) {
        for (const point of this.squares.get(this.square(x + dx * this.reach, y + dy * this.reach)) ?? []) {
          const its = ((this.xs[point] ?? 0) - x) ** 2 + ((this.ys[point] ?? 0) - y) ** 2;
          if (its <= distance) [nearest, distance] = [point, its];
        }
      }
    }
    return nearest;
  }

  private square(x: number, y: number): string {
    return `${Math.floor(x / this.reach)},${Math.floor(y / this.reach)}`;
  }
}

/** Groups by how many points they have, those with the most first: the order of the legend. */
export function ranked(groups: readonly string[], group: readonly (number | null)[]): { at: number; points: number }[] {
  const points = groups.map((_, at) => ({ at, points: 0 }));
  for (const at of group) {
    const found = at === null ? undefined : points[at];
    if (found !== undefined) found.points += 1;
  }
  return points.sort((one, other) => other.points - one.points || one.at - other.at);
}
