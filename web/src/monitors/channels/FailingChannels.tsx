import { serverNow } from "../../api/client";
import type { Notification } from "../../api/monitors";
import { brief } from "../../ui/format/text";
import classes from "../monitors.module.css";
import { useMonitorApi } from "../shared/useMonitorApi";
import { failingOf } from "./failing";

/** A channel that fails is said to, wherever monitors are looked at. */
export function FailingChannels() {
  const sent = useMonitorApi<{ notifications: Notification[] }>("/notifications");
  const failing = failingOf(sent.data?.notifications ?? [], serverNow());
  if (failing.length === 0) return null;
  return (
    <div className={classes.notice} role="status" aria-label="Channels that fail">
      {failing.map((one) => (
        <div key={one.id}>
          <bdi>@{brief(one.channel, 100)}</bdi> does not get through: {brief(one.error, 300) || "no answer yet"}
        </div>
      ))}
    </div>
  );
}
