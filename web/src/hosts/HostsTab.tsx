/** The hosts of the instant: what each runs, and those that have fallen silent. */

import type { Hosts } from "../api/types";
import { followsNow, instantParams, useInstant } from "../state/instant";
import { useExtra, useView } from "../state/useView";
import { formatCount } from "../ui/format/numbers";
import { EmptyState } from "../ui/parts/EmptyState";
import { NoData } from "../ui/parts/NoData";
import { QueryResult } from "../ui/parts/QueryResult";
import shared from "../ui/parts/parts.module.css";
import { useApiQuery } from "../ui/parts/useApiQuery";
import { HostTable, SORTS } from "./HostTable";

const MAX_HOSTS = 1000;
const SILENT_HOURS = 24;
/** How often silence is looked for while the view is live: it costs more than the rest. */
const SILENT_STEP = 60;

export function HostsTab() {
  const [view] = useView();
  const instant = useInstant();
  const [sortText, setSort] = useExtra("hostsort", "host");
  const sort = SORTS.includes(sortText.replace(/^-/, "")) ? sortText : "host";
  const query = useApiQuery<Hosts>(
    "/hosts",
    { ...instantParams(view, instant), sort, limit: MAX_HOSTS },
    { isMoving: instant.isLive },
  );
  const silent = useSilentHosts();
  return (
    <section className={shared.tab} aria-label="Hosts">
      <QueryResult query={query} label="Loading the hosts" isMoving={instant.isLive}>
        {(found) =>
          !found.meta.known && silent.length === 0 ? (
            <NoData isNow={followsNow(view.time)} />
          ) : found.data.length === 0 && silent.length === 0 ? (
            <EmptyState title="No process matches">Change the search, the tags or the time.</EmptyState>
          ) : (
            <>
              <p className={shared.note} role="status">
                {formatCount(found.meta.total)} {found.meta.total === 1 ? "host" : "hosts"} with processes that match
                {found.data.length < found.meta.total && `; the first ${formatCount(found.data.length)} are shown`}
                {silent.length > 0 &&
                  `; ${formatCount(silent.length)} told of their processes in the ${SILENT_HOURS} hours before, and do not now`}
              </p>
              <HostTable hosts={found.data} silent={silent} sort={sort} onSort={setSort} />
            </>
          )
        }
      </QueryResult>
    </section>
  );
}

/** Of all hosts, whatever is searched for: a host without processes fits no search. */
function useSilentHosts() {
  const instant = useInstant();
  const at = instant.isLive ? instant.at - (instant.at % SILENT_STEP) : instant.at;
  const query = useApiQuery<Hosts>(
    "/hosts",
    { at, silent_hours: SILENT_HOURS, limit: 1, measures: "rss_bytes" },
    { isMoving: instant.isLive },
  );
  return query.data?.silent ?? [];
}
