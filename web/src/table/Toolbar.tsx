/** Above the table: how many, of when, and which columns. */

import { ActionIcon, SegmentedControl, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconRefresh } from "@tabler/icons-react";

import { get } from "../api/client";
import type { Facets } from "../api/types";
import { followsNow, useInstant, windowParams } from "../state/instant";
import { hasWindow, type Scope } from "../state/scope";
import { useExtra, useView } from "../state/useView";
import { Moment } from "../ui/format/Moment";
import { formatCount } from "../ui/format/numbers";
import { useIsSlow } from "../ui/parts/useIsSlow";
import { ColumnMenu } from "./columns/ColumnMenu";
import type { Column } from "./columns/columns";
import classes from "./ProcessTable.module.css";

interface ToolbarProps {
  /** Of the instant; null where it is not known yet, or a window's. */
  total: number | null;
  columns: readonly Column[];
  isBusy: boolean;
  isStale: boolean;
  scope: Scope;
  /** The instant that the rows are of, as the server says it; null where there are none yet. */
  at: number | null;
}

export function Toolbar({ total, columns, isBusy, isStale, scope, at }: ToolbarProps) {
  const [view] = useView();
  const instant = useInstant();
  const [, setScope] = useExtra("scope", "instant");
  const ofWindow = useWindowTotal(scope === "window");
  const isSlow = useIsSlow(isBusy, 350);
  const count = scope === "window" ? ofWindow : total;

  return (
    <div className={classes.toolbar}>
      <p className={classes.total} role="status">
        <strong data-testid="total">{formatCount(count)}</strong> {count === 1 ? "process" : "processes"}{" "}
        <span className={classes.when}>
          {scope === "window" ? (
            <>
              seen <Moment seconds={instant.window.from} /> to <Moment seconds={instant.window.to} />
            </>
          ) : (
            at !== null && (
              <>
                at <Moment seconds={at} />
              </>
            )
          )}
        </span>
      </p>
      {hasWindow(view) && (
        <SegmentedControl
          size="xs"
          aria-label="Which processes"
          value={scope}
          onChange={(value) => setScope(value)}
          data={SCOPES}
        />
      )}
      {followsNow(view.time) && !instant.isLive && (
        <Tooltip label="Refresh to now">
          <ActionIcon variant="subtle" color="gray" aria-label="Refresh" onClick={instant.refresh}>
            <IconRefresh size={16} />
          </ActionIcon>
        </Tooltip>
      )}
      <span className={classes.grow} />
      <ColumnMenu columns={columns} />
      {isSlow && (
        <div className={classes.progress} role="progressbar" aria-label={isStale ? "Loading" : "Loading more rows"} />
      )}
    </div>
  );
}

const SCOPES = [
  { value: "instant", label: "Running now" },
  { value: "window", label: "Seen in window" },
];

/** The list of a window does not say how long it is, but counting by any key does. */
function useWindowTotal(isWanted: boolean): number | null {
  const [view] = useView();
  const params = windowParams(view, useInstant());
  const found = useQuery({
    queryKey: ["total", params],
    queryFn: ({ signal }) => get<Facets>("/facets", { ...params, keys: "host", limit: 1 }, signal),
    enabled: isWanted,
  });
  return found.data?.meta.total ?? null;
}
