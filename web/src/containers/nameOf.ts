import type { Container } from "../api/types";

/** Its name; of one without, its ID. */
export function nameOf({ id, attributes }: Container): string {
  return attributes.name || id;
}
