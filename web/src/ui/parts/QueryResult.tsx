import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { Loading } from "./Loading";
import classes from "./parts.module.css";
import { ErrorMessage } from "./ErrorMessage";
import { useIsSlow } from "./useIsSlow";

interface QueryResultProps<T> {
  query: UseQueryResult<T>;
  /** What is being done: `Counting groups`. */
  label: string;
  /** Whether the view moves by itself: then it shows no progress for each step. */
  isMoving?: boolean;
  children: (data: T) => ReactNode;
}

/** What a call has answered, or that it is on its way, or what went wrong. */
export function QueryResult<T>({ query, label, isMoving = false, children }: QueryResultProps<T>) {
  const isSlow = useIsSlow(query.isFetching && !isMoving);
  if (query.isError) return <ErrorMessage error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data === undefined) return <Loading label={label} />;
  return (
    <div className={classes.answer} aria-busy={query.isFetching && !isMoving}>
      <div className={classes.progress} role="status" data-shown={isSlow || undefined}>
        {isSlow && <span className={classes.visuallyHidden}>{label}…</span>}
      </div>
      {children(query.data)}
    </div>
  );
}
