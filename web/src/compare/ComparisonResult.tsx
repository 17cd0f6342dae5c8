import { Tabs } from "@mantine/core";

import type { ComparedSide, Comparison } from "../api/types";
import { useExtra } from "../state/useView";
import { Moment } from "../ui/format/Moment";
import { formatCount } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import { EmptyState } from "../ui/parts/EmptyState";
import shared from "../ui/parts/parts.module.css";
import classes from "./compare.module.css";
import { Differences, type DifferenceKind } from "./Differences";

/** Most entries that one list can have. */
export const MAX_LISTED = 1000;
const DIFFERENCES: readonly DifferenceKind[] = ["started", "ended", "changed"];

/** Totals of both sides, and a list for each way in which they differ. */
export function ComparisonResult({ found, onMore }: { found: Comparison; onMore: (() => void) | undefined }) {
  const [shownText, setShown] = useExtra("show", "started");
  const { meta } = found;
  const isKnown = meta.left.known && meta.right.known;
  const isInTime = meta.left.at !== meta.right.at;
  const labels: Record<DifferenceKind, string> = isInTime
    ? { started: "Started", ended: "Ended", changed: "Changed" }
    : { started: "Only right", ended: "Only left", changed: "Changed" };
  const shown = DIFFERENCES.find((one) => one === shownText) ?? "started";
  const listed = found[shown].length;
  return (
    <>
      <p className={shared.note} role="status">
        <SideTotal side={meta.left} /> on the left, <SideTotal side={meta.right} /> on the right;{" "}
        {formatCount(meta.same)} {meta.match === "process" ? "are" : meta.match === "command" ? "commands are" : "command lines are"} the same.
      </p>
      <Silent side={meta.left} name="left" />
      <Silent side={meta.right} name="right" />
      <Tabs value={shown} onChange={(one) => setShown(one)} keepMounted={false}>
        <Tabs.List aria-label="Differences">
          {DIFFERENCES.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {labels[one]} <span className={classes.badge}>{formatCount(meta[one])}</span>
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={shown} pt="xs">
          {listed === 0 ? (
            <EmptyState title={isKnown ? `Nothing ${emptyOf(shown, isInTime)}` : "No data for one of the sides"}>
              {!isKnown
                ? "No agent reported for it: choose another moment or other hosts."
                : meta.left.total + meta.right.total === 0
                ? "There is no process on either side: change the search, the tags or the sides."
                : "Look at the other differences, or choose other sides."}
            </EmptyState>
          ) : (
            <Differences found={found} shown={shown} />
          )}
          {listed < meta[shown] && (
            <p className={shared.note}>
              The {formatCount(listed)} with the most memory are shown.{" "}
              {onMore !== undefined && (
                <button type="button" className={shared.link} onClick={onMore}>
                  Show up to {formatCount(MAX_LISTED)}
                </button>
              )}
            </p>
          )}
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function SideTotal({ side }: { side: ComparedSide }) {
  if (!side.known) {
    return (
      <>
        no data for <Moment seconds={side.at} />
      </>
    );
  }
  return (
    <>
      {formatCount(side.total)} processes at <Moment seconds={side.at} />
    </>
  );
}

/** Hosts that are left out of the differences. */
function Silent({ side, name }: { side: ComparedSide; name: string }) {
  if (!side.known || side.silent === 0) return null;
  const [first = "", ...others] = side.silent_hosts;
  const rest = side.silent - 1;
  return (
    <p className={shared.note} role="status" title={others.length > 0 ? [first, ...others].map((host) => brief(host)).join("\n") : undefined}>
      No data on the {name} for <bdi>{brief(first)}</bdi>
      {rest > 0 && ` and ${formatCount(rest)} more ${rest === 1 ? "host" : "hosts"}`}: left out of the differences.
    </p>
  );
}

function emptyOf(shown: DifferenceKind, isInTime: boolean): string {
  if (shown === "changed") return "changed";
  if (isInTime) return shown;
  return shown === "started" ? "is on the right only" : "is on the left only";
}
