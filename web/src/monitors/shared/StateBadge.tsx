import type { MonitorState } from "../../api/monitors";
import classes from "../monitors.module.css";

/** A state, told by its word and, besides, by its colour. */
export function StateBadge({ state, isMuted = false }: { state: MonitorState; isMuted?: boolean }) {
  return (
    <span className={classes.badges}>
      <span className={classes.state} data-state={state}>
        {state}
      </span>
      {isMuted && <span className={classes.muted}>Muted</span>}
    </span>
  );
}
