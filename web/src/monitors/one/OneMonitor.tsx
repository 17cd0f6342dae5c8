/** One monitor: how it is, group by group, what happened, and what can be done with it. */

import { Button } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";

import type { Monitor, QueryParts } from "../../api/monitors";
import { brief, visible } from "../../ui/format/text";
import shared from "../../ui/parts/parts.module.css";
import { QueryResult } from "../../ui/parts/QueryResult";
import { BacktestPreview } from "../form/BacktestPreview";
import classes from "../monitors.module.css";
import { usePlace } from "../shared/place";
import { StateBadge } from "../shared/StateBadge";
import { useMay, useMonitor, useQueryParts } from "../shared/useMonitorApi";
import { DeleteMonitor } from "./DeleteMonitor";
import { GroupTable } from "./GroupTable";
import { MuteMenu, MutedScopes } from "./MuteMenu";
import { SendTest } from "./SendTest";
import { TransitionTable } from "./TransitionTable";

export function OneMonitor({ id, mayWrite }: { id: number; mayWrite: boolean }) {
  const [, go] = usePlace();
  const monitor = useMonitor(id);
  const parts = useQueryParts(monitor.data?.query);
  return (
    <>
      <div>
        <Button
          size="compact-xs"
          variant="subtle"
          leftSection={<IconArrowLeft size={14} aria-hidden="true" />}
          onClick={() => go({ part: "list" })}
        >
          All monitors
        </Button>
      </div>
      <QueryResult query={monitor} label="Loading the monitor" isMoving>
        {(found) => <Shown monitor={found} query={parts.data} mayWrite={mayWrite} />}
      </QueryResult>
    </>
  );
}

interface ShownProps {
  monitor: Monitor;
  query: QueryParts | undefined;
  mayWrite: boolean;
}

function Shown({ monitor, query, mayWrite }: ShownProps) {
  const mayMute = useMay("monitors_downtime");
  return (
    <div className={classes.form}>
      <div className={classes.titleRow}>
        <h2 className={classes.heading}>
          <bdi>{brief(monitor.name) || `Monitor ${monitor.id}`}</bdi>
        </h2>
        <StateBadge state={monitor.overall_state} isMuted={Object.keys(monitor.options.silenced ?? {}).length > 0} />
        {monitor.draft_status === "draft" && <span className={classes.muted}>Draft: nobody is told</span>}
      </div>
      {mayWrite && <Actions monitor={monitor} mayMute={mayMute} />}
      <MutedScopes monitor={monitor} mayMute={mayMute} />
      <code className={classes.query}>{visible(monitor.query)}</code>
      {monitor.message !== "" && (
        <pre className={classes.message} aria-label="Message">
          {monitor.message.split("\n").map(visible).join("\n")}
        </pre>
      )}
      <p className={shared.note}>
        {monitor.priority ? `Priority ${monitor.priority}. ` : ""}
        Made by <bdi>{brief(monitor.creator.name, 100)}</bdi>
        {monitor.tags.length > 0 && (
          <>
            . Tags: <bdi>{brief(monitor.tags.join(", "), 400)}</bdi>
          </>
        )}
      </p>
      <h3 className={classes.subheading}>Groups</h3>
      <GroupTable monitorId={monitor.id} query={query} mayMute={mayMute} />
      <h3 className={classes.subheading}>What happened</h3>
      <TransitionTable monitorId={monitor.id} query={query} />
      <h3 className={classes.subheading}>Values, and what these rules make of the past</h3>
      <BacktestPreview monitor={monitor} query={query} />
    </div>
  );
}

function Actions({ monitor, mayMute }: { monitor: Monitor; mayMute: boolean }) {
  const [, go] = usePlace();
  return (
    <div className={shared.bar}>
      <Button size="xs" variant="default" onClick={() => go({ part: "edit", id: monitor.id })}>
        Edit
      </Button>
      <Button size="xs" variant="default" onClick={() => go({ part: "clone", id: monitor.id })}>
        Clone
      </Button>
      {mayMute && <MuteMenu monitorId={monitor.id} />}
      <SendTest monitorId={monitor.id} />
      <DeleteMonitor monitor={monitor} onDeleted={() => go({ part: "list" })} />
    </div>
  );
}
