/** A process with its parents and children -> the rows of a tree. */

export interface TreeNode<T> {
  readonly process: T;
  readonly key: string;
  readonly pid: number;
  readonly ppid: number;
}

export interface TreeRow<T> {
  readonly node: TreeNode<T>;
  readonly level: number;
  /** How many processes of the tree are below it. */
  readonly descendants: number;
  readonly isOpen: boolean;
}

/** Which node is below which. Roots have no parent in the answer; the order is that of the answer. */
export interface Tree<T> {
  readonly roots: readonly TreeNode<T>[];
  readonly children: ReadonlyMap<string, readonly TreeNode<T>[]>;
  readonly counts: ReadonlyMap<string, number>;
}

export function treeOf<T>(nodes: readonly TreeNode<T>[]): Tree<T> {
  const byPid = new Map(nodes.map((node) => [node.pid, node]));
  const children = new Map<string, TreeNode<T>[]>();
  const roots: TreeNode<T>[] = [];
  const parents = new Map<string, TreeNode<T>>();
  for (const node of nodes) {
    const parent = node.ppid === node.pid ? undefined : byPid.get(node.ppid);
    // A snapshot is not atomic: parents may come in circles. The link that would close one is left out.
    if (parent === undefined || isBelow(parent, node, parents)) {
      roots.push(node);
      continue;
    }
    parents.set(node.key, parent);
    const siblings = children.get(parent.key);
    if (siblings === undefined) children.set(parent.key, [node]);
    else siblings.push(node);
  }
  return { roots, children, counts: countsOf(roots, children) };
}

function isBelow<T>(one: TreeNode<T>, other: TreeNode<T>, parents: ReadonlyMap<string, TreeNode<T>>): boolean {
  for (let at: TreeNode<T> | undefined = one; at !== undefined; at = parents.get(at.key)) {
    if (at.key === other.key) return true;
  }
  return false;
}

function countsOf<T>(
  roots: readonly TreeNode<T>[],
  children: ReadonlyMap<string, readonly TreeNode<T>[]>,
): Map<string, number> {
  // Parents first, so that counting backwards finds the children counted. No recursion: a chain may be thousands long.
  const order = [...roots];
  // An array that grows while it is gone through.
  for (const node of order) order.push(...(children.get(node.key) ?? []));
  const counts = new Map<string, number>();
  for (const node of order.reverse()) {
    const below = children.get(node.key) ?? [];
    counts.set(
      node.key,
      below.reduce((sum, child) => sum + 1 + (counts.get(child.key) ?? 0), 0),
    );
  }
  return counts;
}

/** Depth first, without what is below a row that is closed; `most` rows at the most. */
export function treeRows<T>(tree: Tree<T>, closed: ReadonlySet<string>, most: number): TreeRow<T>[] {
  const rows: TreeRow<T>[] = [];
  const stack = tree.roots.map((node) => ({ node, level: 0 })).reverse();
  for (let next = stack.pop(); next !== undefined && rows.length < most; next = stack.pop()) {
    const { node, level } = next;
    const isOpen = !closed.has(node.key);
    rows.push({ node, level, descendants: tree.counts.get(node.key) ?? 0, isOpen });
    const below = isOpen ? (tree.children.get(node.key) ?? []) : [];
    for (let index = below.length - 1; index >= 0; index -= 1) {
      const child = below[index];
      if (child !== undefined) stack.push({ node: child, level: level + 1 });
    }
  }
  return rows;
}
