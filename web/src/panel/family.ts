/** A process with its parents and children -> the rows of a tree. */

export interface Relative<T> {
  readonly process: T;
  readonly key: string;
  readonly pid: number;
  readonly ppid: number;
}

export interface FamilyRow<T> {
  readonly relative: Relative<T>;
  readonly level: number;
  /** How many processes are below it, of which the tree knows. */
  readonly descendants: number;
  readonly isOpen: boolean;
}

/** Who is whose child. The eldest have no parent here; order is that of the answer. */
export interface Family<T> {
  readonly eldest: readonly Relative<T>[];
  readonly children: ReadonlyMap<string, readonly Relative<T>[]>;
  readonly counts: ReadonlyMap<string, number>;
}

export function familyOf<T>(relatives: readonly Relative<T>[]): Family<T> {
  const byPid = new Map(relatives.map((relative) => [relative.pid, relative]));
  const children = new Map<string, Relative<T>[]>();
  const eldest: Relative<T>[] = [];
  const parents = new Map<string, Relative<T>>();
  for (const relative of relatives) {
    const parent = relative.ppid === relative.pid ? undefined : byPid.get(relative.ppid);
    // A snapshot is not atomic: parents may come in circles. The link that would close one is left out.
    if (parent === undefined || isBelow(parent, relative, parents)) {
      eldest.push(relative);
      continue;
    }
    parents.set(relative.key, parent);
    const siblings = children.get(parent.key);
    if (siblings === undefined) children.set(parent.key, [relative]);
    else siblings.push(relative);
  }
  return { eldest, children, counts: countsOf(eldest, children) };
}

function isBelow<T>(one: Relative<T>, other: Relative<T>, parents: ReadonlyMap<string, Relative<T>>): boolean {
  for (let at: Relative<T> | undefined = one; at !== undefined; at = parents.get(at.key)) {
    if (at.key === other.key) return true;
  }
  return false;
}

function countsOf<T>(
  eldest: readonly Relative<T>[],
  children: ReadonlyMap<string, readonly Relative<T>[]>,
): Map<string, number> {
  // Parents first, so that counting backwards finds the children counted. No recursion: a chain may be thousands long.
  const order = [...eldest];
  // An array that grows while it is gone through.
  for (const relative of order) order.push(...(children.get(relative.key) ?? []));
  const counts = new Map<string, number>();
  for (const relative of order.reverse()) {
    const below = children.get(relative.key) ?? [];
    counts.set(
      relative.key,
      below.reduce((sum, child) => sum + 1 + (counts.get(child.key) ?? 0), 0),
    );
  }
  return counts;
}

/** Depth first, without what is below a row that is closed; `most` rows at the most. */
export function familyRows<T>(family: Family<T>, closed: ReadonlySet<string>, most: number): FamilyRow<T>[] {
  const rows: FamilyRow<T>[] = [];
  const waiting = family.eldest.map((relative) => ({ relative, level: 0 })).reverse();
  for (let next = waiting.pop(); next !== undefined && rows.length < most; next = waiting.pop()) {
    const { relative, level } = next;
    const isOpen = !closed.has(relative.key);
    rows.push({ relative, level, descendants: family.counts.get(relative.key) ?? 0, isOpen });
    const below = isOpen ? (family.children.get(relative.key) ?? []) : [];
    for (let place = below.length - 1; place >= 0; place -= 1) {
      const child = below[place];
      if (child !== undefined) waiting.push({ relative: child, level: level + 1 });
    }
  }
  return rows;
}
