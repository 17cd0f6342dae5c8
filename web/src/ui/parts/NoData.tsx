import { EmptyState } from "./EmptyState";

/** Shown where no host reported: that is not the same as "no process matches". */
export function NoData({ isNow }: { isNow: boolean }) {
  return (
    <EmptyState title="No data for this time">
      {isNow ? (
        <>
          Is an agent running? <code>procession up</code> watches this machine, and{" "}
          <code>procession agent --url … --api-key …</code> any other one. A host that has sent nothing for a minute is
          not shown.
        </>
      ) : (
        "No agent reported any of these hosts at this time. Choose another time, or other hosts."
      )}
    </EmptyState>
  );
}
