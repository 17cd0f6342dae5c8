import { Button } from "@mantine/core";
import { useState } from "react";

import { send } from "../../api/client";
import type { Channel, SentTest } from "../../api/monitors";
import { brief } from "../../ui/format/text";
import { formatMoment } from "../../ui/format/times";
import shared from "../../ui/parts/parts.module.css";
import classes from "../monitors.module.css";
import { Problem } from "../shared/Problem";
import { useChange } from "../shared/useMonitorApi";
import { deleteChannel } from "./channelBodies";
import { TestResult } from "./TestResult";

export function ChannelRow({ channel, onEdit }: { channel: Channel; onEdit: () => void }) {
  const [isAsking, setIsAsking] = useState(false);
  const testing = useChange(() =>
    send<SentTest>("POST", `/channels/${channel.kind}/${encodeURIComponent(channel.name)}/test`),
  );
  const deleting = useChange(() => deleteChannel(channel));
  return (
    <tr>
      <td>
        <bdi>{brief(channel.handle, 120)}</bdi>
      </td>
      <td className={classes.wide}>
        <bdi>{brief(channel.addresses?.join(", ") ?? channel.url ?? "not shown", 200)}</bdi>
      </td>
      <td className={classes.wide}>
        <Health channel={channel} />
        {testing.data && <TestResult test={testing.data} />}
        <Problem error={testing.error ?? deleting.error} />
      </td>
      <td>
        <div className={shared.bar}>
          <Button size="compact-xs" variant="default" loading={testing.isPending} aria-label={`Test ${channel.handle}`} onClick={() => testing.mutate(undefined)}>
            Test
          </Button>
          <Button size="compact-xs" variant="default" aria-label={`Edit ${channel.handle}`} onClick={onEdit}>
            Edit
          </Button>
          <Button
            size="compact-xs"
            variant={isAsking ? "filled" : "default"}
            color={isAsking ? "red" : undefined}
            loading={deleting.isPending}
            aria-label={`${isAsking ? "Really delete" : "Delete"} ${channel.handle}`}
            onBlur={() => setIsAsking(false)}
            onClick={() => (isAsking ? deleting.mutate(undefined) : setIsAsking(true))}
          >
            {isAsking ? "Really delete" : "Delete"}
          </Button>
        </div>
      </td>
    </tr>
  );
}

function Health({ channel }: { channel: Channel }) {
  if (channel.tried_at === null) return <span>Nothing was sent in a day</span>;
  if (!channel.is_failing) return <span className={classes.good}>Well at {formatMoment(channel.tried_at)}</span>;
  return (
    <span className={classes.bad}>
      Failing at {formatMoment(channel.tried_at)}: {brief(channel.error, 300)}
    </span>
  );
}
