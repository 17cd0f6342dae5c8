import { useCallback } from "react";

import type { Facets } from "../../api/types";
import { useApiQuery } from "../../ui/parts/useApiQuery";
import { instantParams, useInstant } from "../instant";
import { useView } from "../useView";
import type { ViewState } from "../view";
import { filterByGroup } from "./filterByGroup";

type Filters = Pick<ViewState, "search" | "tags">;

/**
 * Gives what leaves only the processes of a group, or null where nothing does.
 *
 * A container's id is an attribute, and a tag as well for those agents that say so: where no process has the tag, a
 * filter by it would find nothing.
 */
export function useFilterByGroup(
  by: string,
): (value: string | null, isExcluded?: boolean, from?: Filters) => Filters | null {
  const [view] = useView();
  const instant = useInstant();
  const isOfContainers = by === "container_id";
  const tagged = useApiQuery<Facets>(
    "/facets",
    { ...instantParams(view, instant), keys: "container_id", limit: 1 },
    { isMoving: instant.isLive, isEnabled: isOfContainers },
  );
  const isThere = !isOfContainers || (tagged.data?.facets[0]?.processes ?? 0) > 0;
  return useCallback(
    (value, isExcluded = false, from = view) => (isThere ? filterByGroup(from, by, value, isExcluded) : null),
    [view, by, isThere],
  );
}
