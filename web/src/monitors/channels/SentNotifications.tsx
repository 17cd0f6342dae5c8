import { Button } from "@mantine/core";
import { useState } from "react";

import type { Notification } from "../../api/monitors";
import { useView } from "../../state/useView";
import { Moment } from "../../ui/format/Moment";
import { brief } from "../../ui/format/text";
import { EmptyState } from "../../ui/parts/EmptyState";
import shared from "../../ui/parts/parts.module.css";
import { QueryResult } from "../../ui/parts/QueryResult";
import classes from "../monitors.module.css";
import { towards } from "../shared/place";
import { useMonitorApi } from "../shared/useMonitorApi";
import { ViewLink } from "../../state/links/ViewLink";
import { Delivery } from "./Delivery";

const FIRST = 50;

/** What was sent to whom, and what became of it. */
export function SentNotifications() {
  const [limit, setLimit] = useState(FIRST);
  const sent = useMonitorApi<{ notifications: Notification[] }>("/notifications");
  return (
    <QueryResult query={sent} label="Loading what was sent" isMoving>
      {({ notifications }) =>
        notifications.length === 0 ? (
          <EmptyState title="Nothing was sent" />
        ) : (
          <>
            <div className={shared.tableBox} tabIndex={0} role="region" aria-label="Table of notifications">
              <table className={shared.table}>
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">Channel</th>
                    <th scope="col">What</th>
                    <th scope="col">Result</th>
                  </tr>
                </thead>
                <tbody>
                  {[...notifications]
                    .sort((a, b) => b.created_at - a.created_at)
                    .slice(0, limit)
                    .map((one) => (
                      <Row key={one.id} one={one} />
                    ))}
                </tbody>
              </table>
            </div>
            {notifications.length > limit && (
              <Button size="xs" variant="default" onClick={() => setLimit(limit + 10 * FIRST)}>
                Show more
              </Button>
            )}
          </>
        )
      }
    </QueryResult>
  );
}

function Row({ one }: { one: Notification }) {
  const [view] = useView();
  return (
    <tr>
      <td>
        <Moment seconds={one.created_at} />
      </td>
      <td>
        <bdi>@{brief(one.channel, 100)}</bdi>
      </td>
      <td className={classes.wide}>
        {one.monitor_id === 0 ? (
          <bdi>{brief(one.title, 300)}</bdi>
        ) : (
          <ViewLink to={towards({ part: "monitor", id: one.monitor_id }, view.extra)}>
            <bdi>{brief(one.title, 300)}</bdi>
          </ViewLink>
        )}
      </td>
      <td className={classes.wide}>
        <Delivery one={one} />
      </td>
    </tr>
  );
}
