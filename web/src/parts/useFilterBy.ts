import { useCallback } from "react";

import type { Facets } from "../api/types";
import { instantParams, useInstant } from "../state/instant";
import { useView } from "../state/useView";
import type { ViewState } from "../state/view";
import { filteredBy } from "./filterBy";
import { useAnswer } from "./useAnswer";

type Filters = Pick<ViewState, "search" | "tags">;

/**
 * Gives what leaves only the processes of a group, or null where nothing does.
 *
 * A container's id is an attribute, and a tag as well for those agents that say so: where no process has the tag, a
 * filter by it would find nothing.
 */
export function useFilterBy(by: string): (value: string | null, isExcluded?: boolean) => Filters | null {
  const [view] = useView();
  const instant = useInstant();
  const isOfContainers = by === "container_id";
  const tagged = useAnswer<Facets>(
    "/facets",
    { ...instantParams(view, instant), keys: "container_id", limit: 1 },
    { isMoving: instant.isLive, isEnabled: isOfContainers },
  );
  const isThere = !isOfContainers || (tagged.data?.facets[0]?.processes ?? 0) > 0;
  return useCallback(
    (value, isExcluded = false) => (isThere ? filteredBy(view, by, value, isExcluded) : null),
    [view, by, isThere],
  );
}
