import { useState } from "react";

import { assignColors, type ColorIndexes } from "./palette";

/** Indexes of values in the palette. A value keeps its index as long as it is there. */
export function useSeriesColors(values: readonly string[]): ColorIndexes {
  const [kept, keep] = useState<ColorIndexes>(new Map());
  const indexes = assignColors(kept, values);
  if (indexes !== kept) keep(indexes);
  return indexes;
}
