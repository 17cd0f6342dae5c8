/** Which row the open process is in, and walking from it to the next one. */

import { useEffect, useState } from "react";

import type { ProcessItem } from "../api/types";
import { patchView } from "../state/useView";
import { offerWalk } from "../state/walk/rowWalk";

interface OpenRowInput {
  selected: string | null;
  active: number | null;
  rowCount: number;
  /** Those that are drawn. */
  first: number;
  last: number;
  row: (index: number) => ProcessItem | undefined;
  onActivate: (index: number) => void;
  onScrollTo: (index: number) => void;
}

/** Offers the walk as long as a process of the table is open. One that has left the rows is taken to be where it was. */
export function useOpenRow(input: OpenRowInput): void {
  const { selected, rowCount, row, onActivate, onScrollTo } = input;
  const found = selected === null ? null : indexOf(selected, input);
  const [held, setHeld] = useState<{ of: string | null; index: number | null }>({ of: null, index: null });
  if (held.of !== selected || (found !== null && held.index !== found)) {
    setHeld({ of: selected, index: found ?? (held.of === selected ? held.index : null) });
  }
  const index = found ?? (held.of === selected ? held.index : null);
  const previous = index === null ? undefined : row(index - 1)?.id;
  const next = index === null ? undefined : row(index + 1)?.id;

  useEffect(() => {
    if (selected === null || index === null || rowCount === 0) {
      offerWalk(null);
      return;
    }
    offerWalk({
      hasPrevious: previous !== undefined,
      hasNext: next !== undefined,
      walk: (step) => {
        const id = step < 0 ? previous : next;
        if (id === undefined) return;
        onActivate(index + step);
        onScrollTo(index + step);
        // Each step of a walk is no step for the back button.
        patchView({ selected: id }, "replace");
      },
    });
  });
  useEffect(() => () => offerWalk(null), []);
}

function indexOf(selected: string, { active, first, last, row }: OpenRowInput): number | null {
  if (active !== null && row(active)?.id === selected) return active;
  for (let index = first; index <= last; index += 1) {
    if (row(index)?.id === selected) return index;
  }
  return null;
}
