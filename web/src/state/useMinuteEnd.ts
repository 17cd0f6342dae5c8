import { useInstant } from "./instant";

/** The end of the minute of the instant: an answer for it holds for all live steps of that minute. */
export function useMinuteEnd(): number {
  const { at } = useInstant();
  return at - (at % 60) + 60;
}
