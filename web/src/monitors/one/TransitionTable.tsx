/** What happened, the newest first: each leads to the table at that instant. */

import { Select } from "@mantine/core";

import { serverNow } from "../../api/client";
import type { QueryParts, Transition } from "../../api/monitors";
import { useExtra, useView } from "../../state/useView";
import { Moment } from "../../ui/format/Moment";
import { brief } from "../../ui/format/text";
import { formatDateTime } from "../../ui/format/times";
import { EmptyState } from "../../ui/parts/EmptyState";
import shared from "../../ui/parts/parts.module.css";
import { QueryResult } from "../../ui/parts/QueryResult";
import classes from "../monitors.module.css";
import { towards } from "../shared/place";
import { StateBadge } from "../shared/StateBadge";
import { beforeView, instantView } from "../shared/transitionView";
import { useMonitorApi } from "../shared/useMonitorApi";
import { formatValue, groupLabel } from "../shared/values";
import { ViewLink } from "../../state/links/ViewLink";

const MOST = 500;
const DAYS = [
  { value: "1", label: "1 day" },
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
];

/** What came late out of a spool says of a transition. */
const LATE: Record<"added" | "refuted", string> = {
  added: "added later from a spool",
  refuted: "refuted later: it was not so",
};

/** Of one monitor, whose query is known; or of all. */
export function TransitionTable({ monitorId, query }: { monitorId?: number; query?: QueryParts | undefined }) {
  const [days, setDays] = useExtra("days", "1");
  const known = DAYS.some(({ value }) => value === days) ? days : "1";
  // To the hour: so it is the same question for a while.
  const from = Math.floor(serverNow() / 3600) * 3600 - Number(known) * 86_400;
  const transitions = useMonitorApi<{ transitions: Transition[] }>("/monitors/transitions", {
    from,
    limit: MOST,
    monitor_id: monitorId,
  });
  return (
    <>
      <Select
        size="xs"
        w={130}
        label="The last"
        data={DAYS}
        value={known}
        allowDeselect={false}
        onChange={(chosen) => setDays(chosen)}
      />
      <QueryResult query={transitions} label="Loading what happened" isMoving>
        {(found) =>
          found.transitions.length === 0 ? (
            <EmptyState title="Nothing happened">No monitor changed its state in this time.</EmptyState>
          ) : (
            <Rows transitions={found.transitions} query={query} isOfAll={monitorId === undefined} />
          )
        }
      </QueryResult>
    </>
  );
}

interface RowsProps {
  transitions: readonly Transition[];
  query: QueryParts | undefined;
  isOfAll: boolean;
}

function Rows({ transitions, query, isOfAll }: RowsProps) {
  return (
    <>
      <div className={shared.tableBox} tabIndex={0} role="region" aria-label="Table of what happened">
        <table className={shared.table}>
          <thead>
            <tr>
              <th scope="col">When</th>
              {isOfAll && <th scope="col">Monitor</th>}
              <th scope="col">Group</th>
              <th scope="col">State</th>
              <th scope="col" className={shared.number}>
                Value
              </th>
              <th scope="col">Reason</th>
              <th scope="col">Processes</th>
              <th scope="col">Before</th>
            </tr>
          </thead>
          <tbody>
            {transitions.map((one) => (
              <Row key={`${one.monitor_id} ${one.at} ${one.kind} ${one.group} ${one.late ?? ""}`} one={one} query={query} isOfAll={isOfAll} />
            ))}
          </tbody>
        </table>
      </div>
      {transitions.length === MOST && <p className={shared.note}>These are the newest {MOST}.</p>}
    </>
  );
}

function Row({ one, query, isOfAll }: { one: Transition; query: QueryParts | undefined; isOfAll: boolean }) {
  const [view] = useView();
  return (
    <tr>
      <td>
        <ViewLink to={instantView(query, one)} label={`Show the table at ${formatDateTime(one.at)}`}>
          <Moment seconds={one.at} />
        </ViewLink>
      </td>
      {isOfAll && (
        <td>
          <ViewLink to={towards({ part: "monitor", id: one.monitor_id }, view.extra)}>
            <bdi>{brief(one.monitor_name, 100) || one.monitor_id}</bdi>
          </ViewLink>
        </td>
      )}
      <td>
        <bdi className={shared.text}>{brief(groupLabel(one.group), 200)}</bdi>
      </td>
      <td>
        <StateBadge state={one.state} />
        {["renotify", "escalated"].includes(one.kind) && " again"}
        {one.late !== null && <div className={shared.note}>{LATE[one.late]}</div>}
      </td>
      <td className={shared.number}>{isOfAll ? (one.value ?? "–") : formatValue(one.value, query)}</td>
      <td>{brief(one.reason, 200)}</td>
      <td className={classes.wide}>
        {one.processes.map((process, index) => (
          <div key={index}>
            <bdi>{brief(process, 200)}</bdi>
          </div>
        ))}
      </td>
      <td>
        <ViewLink
          to={beforeView(query, one, view.extra)}
          label={`Show what ran before ${formatDateTime(one.at)}`}
        >
          What ran
        </ViewLink>
      </td>
    </tr>
  );
}
