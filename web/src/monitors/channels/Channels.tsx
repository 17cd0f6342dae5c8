/** Who is told and where: the channels of the org, how they do, and what was sent. An admin keeps them. */

import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";

import { get } from "../../api/client";
import type { Channel, Webhook } from "../../api/monitors";
import { EmptyState } from "../../ui/parts/EmptyState";
import shared from "../../ui/parts/parts.module.css";
import { QueryResult } from "../../ui/parts/QueryResult";
import classes from "../monitors.module.css";
import { Problem } from "../shared/Problem";
import { useChange, useMay, useMonitorApi } from "../shared/useMonitorApi";
import { ChannelForm } from "./ChannelForm";
import { ChannelRow } from "./ChannelRow";
import { draftOfChannel, NO_CHANNEL, WEBHOOKS, type ChannelDraft } from "./channelBodies";
import { SentNotifications } from "./SentNotifications";

type Editing = { draft: ChannelDraft; isNew: boolean } | null;

export function Channels() {
  const isAdmin = useMay("manage_integrations");
  return (
    <>
      {isAdmin ? (
        <Kept />
      ) : (
        <p className={classes.notice} role="status">
          Your key may not see or change channels: that takes one with the scope <code>manage_integrations</code>.
        </p>
      )}
      <h2 className={classes.subheading}>What was sent in seven days</h2>
      <SentNotifications />
    </>
  );
}

function Kept() {
  const channels = useMonitorApi<{ channels: Channel[] }>("/channels");
  const [editing, setEditing] = useState<Editing>(null);
  const opening = useChange(
    async (channel: Channel): Promise<Editing> => {
      const webhook =
        channel.kind === "webhook" ? await get<Webhook>(`${WEBHOOKS}/${encodeURIComponent(channel.name)}`) : null;
      return { draft: draftOfChannel(channel, webhook), isNew: false };
    },
    (found) => setEditing(found),
  );
  return (
    <>
      {editing ? (
        <ChannelForm
          key={`${editing.draft.kind}-${editing.draft.name}`}
          begin={editing.draft}
          isNew={editing.isNew}
          onDone={() => setEditing(null)}
        />
      ) : (
        <div>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} aria-hidden="true" />}
            onClick={() => setEditing({ draft: NO_CHANNEL, isNew: true })}
          >
            Add a channel
          </Button>
        </div>
      )}
      <Problem error={opening.error} />
      <QueryResult query={channels} label="Loading channels" isMoving>
        {(found) =>
          found.channels.length === 0 ? (
            <EmptyState title="No channel yet">Messages of monitors call channels by their name; without one nobody is told.</EmptyState>
          ) : (
            <ChannelTable channels={found.channels} onEdit={(channel) => opening.mutate(channel)} />
          )
        }
      </QueryResult>
    </>
  );
}

function ChannelTable({ channels, onEdit }: { channels: readonly Channel[]; onEdit: (channel: Channel) => void }) {
  return (
    <div className={shared.tableBox} tabIndex={0} role="region" aria-label="Table of channels">
      <table className={shared.table}>
        <thead>
          <tr>
            <th scope="col">Channel</th>
            <th scope="col">Where</th>
            <th scope="col">How it does</th>
            <th scope="col">Actions</th>
          </tr>
        </thead>
        <tbody>
          {channels.map((channel) => (
            <ChannelRow key={channel.handle} channel={channel} onEdit={() => onEdit(channel)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}
