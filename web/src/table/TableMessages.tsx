import { isUnreachable } from "../api/client";
import { useInstant } from "../state/instant";
import type { Scope } from "../state/scope";
import { EmptyState } from "../ui/parts/EmptyState";
import { Loading } from "../ui/parts/Loading";
import { Moment } from "../ui/format/Moment";
import { NoData } from "../ui/parts/NoData";
import { ErrorMessage } from "../ui/parts/ErrorMessage";
import { MAX_ROWS } from "./paging/fetchPages";
import type { Pages } from "./paging/usePages";
import classes from "./ProcessTable.module.css";

/** Rows of a live view that are older than this are said to be. */
const LATE_SECONDS = 10;

interface TableMessagesProps {
  pages: Pages;
  /** Whether the table is of now. */
  isNow: boolean;
  isFiltered: boolean;
  scope: Scope;
}

/** Messages above the rows, or instead of them where there are none. */
export function TableMessages({ pages, isNow, isFiltered, scope }: TableMessagesProps) {
  const instant = useInstant();
  const isLate = instant.isLive && instant.at - (pages.at ?? instant.at) > LATE_SECONDS;
  const { rowCount, total, error, isKnown, at, retry } = pages;
  if (rowCount === null) return error ? <ErrorMessage error={error} onRetry={retry} /> : <Loading label="Loading processes" />;
  return (
    <>
      {at !== null && isUnreachable(error) && <Stale reason="Server unreachable" at={at} />}
      {at !== null && error === null && isLate && <Stale reason="The server takes long to answer" at={at} />}
      {error && !(at !== null && isUnreachable(error)) && (
        <p className={classes.problem} role="alert">
          {error.message}{" "}
          <button type="button" onClick={retry}>
            Try again
          </button>
        </p>
      )}
      {(total ?? 0) > MAX_ROWS && (
        <p className={classes.note}>
          Only the first {MAX_ROWS.toLocaleString("en-US")} rows can be shown. Narrow the search to see the rest.
        </p>
      )}
      {rowCount === 0 && (isKnown ? <NothingFound isFiltered={isFiltered} scope={scope} /> : <NoData isNow={isNow} />)}
    </>
  );
}

/** Rows stay while the server is away; they must not look like those of now. */
function Stale({ reason, at }: { reason: string; at: number }) {
  return (
    <p className={classes.problem} role="alert">
      {reason}; rows as of <Moment seconds={at} />, retrying.
    </p>
  );
}

function NothingFound({ isFiltered, scope }: Pick<TableMessagesProps, "isFiltered" | "scope">) {
  if (!isFiltered && scope === "ended") {
    return <EmptyState title="Nothing has ended">All processes that were seen in this window still run.</EmptyState>;
  }
  if (!isFiltered) return <EmptyState title="Nothing found">No host had a process at this time.</EmptyState>;
  return (
    <EmptyState title="No process matches">
      Remove a filter, widen the search, or choose another time. With <code>OR</code> between words, either may match.
    </EmptyState>
  );
}
