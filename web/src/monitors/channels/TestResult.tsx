import type { Notification, SentTest } from "../../api/monitors";
import { brief } from "../../ui/format/text";
import shared from "../../ui/parts/parts.module.css";
import { useMonitorApi } from "../shared/useMonitorApi";
import { Delivery } from "./Delivery";

/** What became of a test, channel by channel. */
export function TestResult({ test }: { test: SentTest }) {
  const found = useMonitorApi<{ notifications: Notification[] }>("/notifications");
  const mine = found.data?.notifications.filter((one) => one.cycle_key === test.cycle_key) ?? [];
  return (
    <div role="status" aria-label="Result of the test">
      {test.sent_to.length === 0 && (
        <p className={shared.note}>The message names no channel for this state: nobody is told.</p>
      )}
      {mine.map((one) => (
        <div key={one.id}>
          <bdi>@{brief(one.channel, 100)}</bdi>: <Delivery one={one} />
        </div>
      ))}
      {(test.unknown ?? []).map((name) => (
        <div key={name}>
          <bdi>@{brief(name, 100)}</bdi>: there is no such channel
        </div>
      ))}
    </div>
  );
}
