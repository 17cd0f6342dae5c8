/** The groups of a monitor with their states, the worst first. */

import { Button, TextInput } from "@mantine/core";
import { useState } from "react";

import type { MonitorGroup, QueryParts } from "../../api/monitors";
import { Moment } from "../../ui/format/Moment";
import { formatCount } from "../../ui/format/numbers";
import { brief } from "../../ui/format/text";
import { formatDateTime } from "../../ui/format/times";
import shared from "../../ui/parts/parts.module.css";
import { QueryResult } from "../../ui/parts/QueryResult";
import classes from "../monitors.module.css";
import { StateBadge } from "../shared/StateBadge";
import { instantView } from "../shared/transitionView";
import { useMonitorApi } from "../shared/useMonitorApi";
import { formatValue, groupLabel } from "../shared/values";
import { ViewLink } from "../../state/links/ViewLink";
import { MuteMenu } from "./MuteMenu";

const FIRST = 50;
const SEVERITY = ["Alert", "Warn", "Skipped", "No Data", "OK"];

interface GroupTableProps {
  monitorId: number;
  query: QueryParts | undefined;
  mayMute: boolean;
}

export function GroupTable(props: GroupTableProps) {
  const groups = useMonitorApi<{ groups: MonitorGroup[] }>("/monitors/groups", { monitor_id: props.monitorId });
  return (
    <QueryResult query={groups} label="Loading the groups" isMoving>
      {(found) =>
        found.groups.length === 0 ? (
          <p className={shared.note} role="status">
            Nothing was evaluated yet: that is done at the beginning of each minute.
          </p>
        ) : (
          <Groups groups={found.groups} {...props} />
        )
      }
    </QueryResult>
  );
}

function Groups({ groups, ...props }: GroupTableProps & { groups: readonly MonitorGroup[] }) {
  const [text, setText] = useState("");
  const [limit, setLimit] = useState(FIRST);
  const wanted = text.trim().toLowerCase();
  const found = groups
    .filter((one) => `${one.group} ${one.state} ${one.reason}`.toLowerCase().includes(wanted))
    .sort((a, b) => SEVERITY.indexOf(a.state) - SEVERITY.indexOf(b.state) || a.group.localeCompare(b.group));
  return (
    <>
      {groups.length > FIRST && (
        <TextInput
          size="xs"
          maw={260}
          label="Find a group"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      )}
      <div className={shared.tableBox} tabIndex={0} role="region" aria-label="Table of groups">
        <table className={shared.table}>
          <thead>
            <tr>
              <th scope="col">State</th>
              <th scope="col">Group</th>
              <th scope="col" className={shared.number}>
                Value
              </th>
              <th scope="col">Since</th>
              <th scope="col">Reason</th>
              <th scope="col">Processes</th>
              {props.mayMute && <th scope="col">Mute</th>}
            </tr>
          </thead>
          <tbody>
            {found.slice(0, limit).map((one) => (
              <Row key={one.group} one={one} {...props} />
            ))}
          </tbody>
        </table>
      </div>
      {found.length > limit && (
        <Button size="xs" variant="default" onClick={() => setLimit(limit + 10 * FIRST)}>
          Show more of {formatCount(found.length)}
        </Button>
      )}
    </>
  );
}

function Row({ one, monitorId, query, mayMute }: GroupTableProps & { one: MonitorGroup }) {
  return (
    <tr>
      <td>
        <StateBadge state={one.state} isMuted={one.is_muted} />
      </td>
      <td>
        <bdi className={shared.text}>{brief(groupLabel(one.group), 200)}</bdi>
      </td>
      <td className={shared.number}>{formatValue(one.value, query)}</td>
      <td>
        <ViewLink
          to={instantView(query, { at: one.since, tags: one.tags })}
          label={`Show the table at ${formatDateTime(one.since)}`}
        >
          <Moment seconds={one.since} />
        </ViewLink>
      </td>
      <td>{brief(one.reason, 200)}</td>
      <td className={classes.wide}>
        {one.processes.map((process, index) => (
          <div key={index}>
            <bdi>{brief(process, 200)}</bdi>
          </div>
        ))}
      </td>
      {mayMute && (
        <td>
          {Object.keys(one.tags).length > 0 && (
            <MuteMenu monitorId={monitorId} group={one} />
          )}
        </td>
      )}
    </tr>
  );
}
