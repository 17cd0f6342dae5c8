import { useState } from "react";

import { withSlots, type Slots } from "./palette";

/** Slots of values in the palette. A value keeps its slot as long as it is there. */
export function useSlots(values: readonly string[]): Slots {
  const [kept, keep] = useState<Slots>(new Map());
  const slots = withSlots(kept, values);
  if (slots !== kept) keep(slots);
  return slots;
}
