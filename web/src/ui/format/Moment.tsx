import { formatMoment, formatUtc } from "./times";

/** A moment in the viewer's zone, in UTC where one hovers. */
export function Moment({ seconds }: { seconds: number }) {
  return (
    <time dateTime={new Date(seconds * 1000).toISOString()} title={formatUtc(seconds)}>
      {formatMoment(seconds)}
    </time>
  );
}
