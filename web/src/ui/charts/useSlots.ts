import { useState } from "react";

import { withSlots, type Slots } from "./palette";

/** Places of values in the palette, the same as long as a value is there. */
export function useSlots(values: readonly string[]): Slots {
  const [kept, keep] = useState<Slots>(new Map());
  const slots = withSlots(kept, values);
  if (slots !== kept) keep(slots);
  return slots;
}
