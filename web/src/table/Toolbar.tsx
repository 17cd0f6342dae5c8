/** Above the table: how many, of when, and which columns. */

import { ActionIcon, SegmentedControl, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconRefresh } from "@tabler/icons-react";

import { get } from "../api/client";
import type { Facets } from "../api/types";
import { followsNow, useInstant, windowParams } from "../state/instant";
import { hasWindow, withScope, type Scope } from "../state/scope";
import { useView } from "../state/useView";
import { Moment } from "../ui/format/Moment";
import { formatCount } from "../ui/format/numbers";
import { useIsUtc } from "../ui/format/zone";
import { useIsSlow } from "../ui/parts/useIsSlow";
import { ColumnMenu } from "./columns/ColumnMenu";
import type { Column } from "./columns/columns";
import type { Pages } from "./paging/usePages";
import classes from "./ProcessTable.module.css";

interface ToolbarProps {
  pages: Pages;
  columns: readonly Column[];
  scope: Scope;
}

export function Toolbar({ pages, columns, scope }: ToolbarProps) {
  const { total, at, isStale } = pages;
  const [view, patch] = useView();
  const instant = useInstant();
  const isUtc = useIsUtc();
  const ofWindow = useWindowTotal(scope === "window" && total === null && !isStale);
  const isSlow = useIsSlow(pages.isLoading, 350);
  const count = total ?? ofWindow;

  return (
    <div className={classes.toolbar}>
      <p className={classes.total} role="status">
        <strong data-testid="total">{formatCount(count)}</strong> {count === 1 ? "process" : "processes"}{" "}
        <span className={classes.when}>
          {scope !== "instant" ? (
            <>
              {scope === "ended" ? "ended" : "seen"} <Moment seconds={instant.window.from} /> to{" "}
              <Moment seconds={instant.window.to} />
            </>
          ) : (
            at !== null && (
              <>
                at <Moment seconds={at} />
              </>
            )
          )}
          {isUtc && " UTC"}
          {pages.isHeld && " · order held under the pointer"}
        </span>
      </p>
      {hasWindow(view) && (
        <SegmentedControl
          size="xs"
          aria-label="Which processes"
          value={scope}
          onChange={(value) => patch(withScope(view, value as Scope))}
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
  { value: "ended", label: "Ended" },
];

/** The list of a window that is too large to be sorted does not say how long it is, but counting by any key does. */
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
