/** Mutes of a monitor: for the whole or for a group, for a while or for good. */

import { Button, Menu } from "@mantine/core";
import { IconBellOff } from "@tabler/icons-react";

import { send, serverNow } from "../../api/client";
import type { Monitor, MonitorGroup } from "../../api/monitors";
import { brief } from "../../ui/format/text";
import { formatDateTime } from "../../ui/format/times";
import shared from "../../ui/parts/parts.module.css";
import classes from "../monitors.module.css";
import { Problem } from "../shared/Problem";
import { useChange } from "../shared/useMonitorApi";

const HOUR = 3600;
const LENGTHS: readonly [label: string, seconds: number | null][] = [
  ["For 1 hour", HOUR],
  ["For 4 hours", 4 * HOUR],
  ["For 1 day", 24 * HOUR],
  ["For 7 days", 7 * 24 * HOUR],
  ["Until it is unmuted", null],
];

interface MuteMenuProps {
  monitorId: number;
  /** A single one is muted by its scope, else the whole monitor. */
  group?: Pick<MonitorGroup, "group" | "scope">;
}

export function MuteMenu({ monitorId, group }: MuteMenuProps) {
  const muting = useChange((seconds: number | null) =>
    send("POST", `/api/v1/monitor/${monitorId}/mute`, {
      scope: group?.scope ?? "*",
      ...(seconds === null ? {} : { end: serverNow() + seconds }),
    }),
  );
  return (
    <>
      <Menu position="bottom-start" withinPortal>
        <Menu.Target>
          <Button
            size={group ? "compact-xs" : "xs"}
            variant="default"
            loading={muting.isPending}
            leftSection={<IconBellOff size={14} aria-hidden="true" />}
            aria-label={group ? `Mute ${brief(group.group, 200)}` : undefined}
          >
            Mute
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {LENGTHS.map(([label, seconds]) => (
            <Menu.Item key={label} onClick={() => muting.mutate(seconds)}>
              {label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Problem error={muting.error} />
    </>
  );
}

/** What is muted, with a way to end each. */
export function MutedScopes({ monitor, mayMute }: { monitor: Monitor; mayMute: boolean }) {
  const ending = useChange((scope: string) => send("POST", `/api/v1/monitor/${monitor.id}/unmute`, { scope }));
  const now = serverNow();
  const scopes = Object.entries(monitor.options.silenced ?? {}).filter(([, end]) => end === null || end > now);
  if (scopes.length === 0) return null;
  return (
    <ul className={classes.fired} aria-label="Mutes">
      {scopes.map(([scope, end]) => (
        <li key={scope}>
          <div className={shared.bar}>
            <span>
              Nobody is told of <bdi>{scope === "*" ? "the whole monitor" : brief(scope, 300)}</bdi>
              {end === null ? "" : ` until ${formatDateTime(end)}`}
            </span>
            {mayMute && (
              <Button
                size="compact-xs"
                variant="default"
                aria-label={`Unmute ${scope === "*" ? "the whole monitor" : brief(scope, 200)}`}
                loading={ending.isPending && ending.variables === scope}
                onClick={() => ending.mutate(scope)}
              >
                Unmute
              </Button>
            )}
          </div>
        </li>
      ))}
      <Problem error={ending.error} />
    </ul>
  );
}
