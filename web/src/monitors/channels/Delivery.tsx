import type { Notification } from "../../api/monitors";
import { brief } from "../../ui/format/text";
import { formatMoment } from "../../ui/format/times";
import classes from "../monitors.module.css";

/** How far a notification has come, and why it has not arrived. */
export function Delivery({ one }: { one: Pick<Notification, "delivery" | "error" | "attempts" | "next_at"> }) {
  const reason = one.error === "" ? "" : `: ${brief(one.error, 300)}`;
  switch (one.delivery) {
    case "sent":
      return <span className={classes.good}>sent</span>;
    case "failed":
      return <span className={classes.bad}>failed{reason}</span>;
    case "waiting":
      return one.attempts === 0 ? (
        <span>waiting</span>
      ) : (
        <span className={classes.bad}>
          failed {one.attempts} times{reason}
          {one.next_at !== null && `; next try at ${formatMoment(one.next_at)}`}
        </span>
      );
    default:
      return (
        <span>
          {one.delivery}
          {reason}
        </span>
      );
  }
}
