/** All monitors of the org, those that alert first. */

import { Button, Select, TextInput } from "@mantine/core";
import { useState } from "react";

import type { Monitor, MonitorState } from "../../api/monitors";
import { useView } from "../../state/useView";
import { Moment } from "../../ui/format/Moment";
import { formatCount } from "../../ui/format/numbers";
import { brief } from "../../ui/format/text";
import { EmptyState } from "../../ui/parts/EmptyState";
import shared from "../../ui/parts/parts.module.css";
import { QueryResult } from "../../ui/parts/QueryResult";
import classes from "../monitors.module.css";
import { TransitionTable } from "../one/TransitionTable";
import { towards, usePlace } from "../shared/place";
import { StateBadge } from "../shared/StateBadge";
import { useMonitors } from "../shared/useMonitorApi";
import { ViewLink } from "../../state/links/ViewLink";
import { fitting, ordered, stateSince } from "./monitorOrder";

const FIRST = 100;
const STATES = ["Alert", "Warn", "No Data", "Skipped", "OK"];

export function MonitorList() {
  const monitors = useMonitors();
  return (
    <QueryResult query={monitors} label="Loading monitors" isMoving>
      {(found) =>
        found.length === 0 ? (
          <Nothing />
        ) : (
          <div className={classes.stack}>
            <Found monitors={found} />
            <h2 className={classes.subheading}>What happened</h2>
            <TransitionTable />
          </div>
        )
      }
    </QueryResult>
  );
}

function Nothing() {
  const [, go] = usePlace();
  return (
    <EmptyState title="No monitor yet">
      Search for the processes that matter, then choose <em>Monitor this search</em>. Or begin with{" "}
      <button type="button" className={shared.link} onClick={() => go({ part: "starters" })}>
        what almost everybody wants
      </button>
      .
    </EmptyState>
  );
}

function Found({ monitors }: { monitors: readonly Monitor[] }) {
  const [text, setText] = useState("");
  const [state, setState] = useState<string | null>(null);
  const [limit, setLimit] = useState(FIRST);
  const found = ordered(fitting(monitors, text, state as MonitorState | null));
  return (
    <>
      <div className={shared.bar}>
        <TextInput
          size="xs"
          label="Find a monitor"
          placeholder="Name, tag or query"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Select size="xs" label="State" w={130} data={STATES} value={state} onChange={setState} clearable placeholder="Any" />
        <p className={shared.note} role="status">
          {formatCount(found.length)} {found.length === 1 ? "monitor" : "monitors"}
        </p>
      </div>
      <div className={shared.tableBox} tabIndex={0} role="region" aria-label="Table of monitors">
        <table className={shared.table}>
          <thead>
            <tr>
              <th scope="col">State</th>
              <th scope="col">Monitor</th>
              <th scope="col">Since</th>
              <th scope="col">Query</th>
              <th scope="col">Tags</th>
            </tr>
          </thead>
          <tbody>
            {found.slice(0, limit).map((monitor) => (
              <Row key={monitor.id} monitor={monitor} />
            ))}
          </tbody>
        </table>
      </div>
      {found.length > limit && (
        <Button size="xs" variant="default" onClick={() => setLimit(limit + 10 * FIRST)}>
          Show more
        </Button>
      )}
    </>
  );
}

function Row({ monitor }: { monitor: Monitor }) {
  const [view] = useView();
  const since = stateSince(monitor);
  return (
    <tr>
      <td>
        <StateBadge state={monitor.overall_state} isMuted={Object.keys(monitor.options.silenced ?? {}).length > 0} />
      </td>
      <td className={classes.wide}>
        <ViewLink to={towards({ part: "monitor", id: monitor.id }, view.extra)}>
          <bdi>{brief(monitor.name) || `Monitor ${monitor.id}`}</bdi>
        </ViewLink>
        {monitor.draft_status === "draft" && " (draft)"}
      </td>
      <td>{since === null ? "–" : <Moment seconds={since} />}</td>
      <td>
        <code className={shared.text}>{brief(monitor.query, 200)}</code>
      </td>
      <td>
        <bdi className={shared.text}>{brief(monitor.tags.join(" "), 200)}</bdi>
      </td>
    </tr>
  );
}
