/** The containers of the instant: what they are, what they use of what they may, and one of them over time. */

import type { Containers } from "../api/types";
import { followsNow, instantParams, useInstant } from "../state/instant";
import { useExtra, useView } from "../state/useView";
import { formatCount } from "../ui/format/numbers";
import { EmptyState } from "../ui/parts/EmptyState";
import { QueryResult } from "../ui/parts/QueryResult";
import shared from "../ui/parts/parts.module.css";
import { useApiQuery } from "../ui/parts/useApiQuery";
import { ContainerHistory } from "./ContainerHistory";
import { ContainerTable, SORTS } from "./ContainerTable";

const MAX_CONTAINERS = 1000;
/** How often they are asked for while the view is live: agents tell of them every ten seconds. */
const LIVE_STEP = 5;

export function ContainersTab() {
  const [view, patch] = useView();
  const instant = useInstant();
  const [sortText, setSort] = useExtra("containersort", "name");
  const sort = SORTS.includes(sortText.replace(/^-/, "")) ? sortText : "name";
  const at = instant.isLive ? instant.at - (instant.at % LIVE_STEP) : instant.at;
  const query = useApiQuery<Containers>(
    "/containers",
    { ...instantParams(view, { at }), sort, limit: MAX_CONTAINERS, processes: true },
    { isMoving: instant.isLive },
  );
  const { container = "", containerhost = "" } = view.extra;
  const open = (id: string, host: string) =>
    patch({ extra: { ...view.extra, container: id, containerhost: host } });
  return (
    <section className={shared.tab} aria-label="Containers">
      {container !== "" && containerhost !== "" && (
        <ContainerHistory
          key={`${containerhost} ${container}`}
          id={container}
          host={containerhost}
          found={query.data?.data.find((one) => one.id === container && one.attributes.host === containerhost)}
          onClose={() => open("", "")}
        />
      )}
      <QueryResult query={query} label="Loading the containers" isMoving={instant.isLive}>
        {(found) =>
          !found.meta.known ? (
            <EmptyState title="No containers at this time">
              {followsNow(view.time)
                ? "No agent has told of a container in the last five minutes. One that may not read the control groups of others tells of none."
                : "No agent told of a container then. Choose another time."}
            </EmptyState>
          ) : found.data.length === 0 ? (
            <EmptyState title="No container matches">
              A search looks in the names, images, IDs and tags of containers. Change the search, the tags or the time.
            </EmptyState>
          ) : (
            <>
              <p className={shared.note} role="status">
                {formatCount(found.meta.total)} {found.meta.total === 1 ? "container matches" : "containers match"}
                {found.data.length < found.meta.total && `; the first ${formatCount(found.data.length)} are shown`}
              </p>
              <ContainerTable containers={found.data} sort={sort} onSort={setSort} onOpen={open} />
            </>
          )
        }
      </QueryResult>
    </section>
  );
}
