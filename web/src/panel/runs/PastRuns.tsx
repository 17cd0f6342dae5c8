import type { Run, Runs } from "../../api/types";
import { useInstant } from "../../state/instant";
import { useView } from "../../state/useView";
import { Moment } from "../../ui/format/Moment";
import { formatDuration } from "../../ui/format/numbers";
import { outcomeOf } from "../../ui/format/processNames";
import { brief } from "../../ui/format/text";
import { secondsOf } from "../../ui/format/times";
import { QueryResult } from "../../ui/parts/QueryResult";
import { EmptyState } from "../../ui/parts/EmptyState";
import shared from "../../ui/parts/parts.module.css";
import { useApiQuery } from "../../ui/parts/useApiQuery";
import { costText } from "../about/costText";
import classes from "./runs.module.css";

const WEEK = 7 * 86_400;
const LIMIT = 50;

/** Other processes of the same program on the same host, up to the instant of the view. */
export function PastRuns({ id }: { id: string }) {
  const instant = useInstant();
  const [, patch] = useView();
  // By the minute: a list of a week does not change with each live step.
  const to = Math.ceil(instant.at / 60) * 60;
  const query = useApiQuery<Runs>(
    `/processes/${id}/runs`,
    { from: to - WEEK, to, limit: LIMIT },
    { isMoving: instant.isLive },
  );
  return (
    <QueryResult query={query} label="Loading other runs" isMoving={instant.isLive}>
      {(found) =>
        found.data.length === 0 ? (
          <EmptyState title="No other run">In the last 7 days this program ran only once on this host.</EmptyState>
        ) : (
          <>
            <p className={shared.note}>
              {found.data.length === LIMIT ? `The last ${LIMIT} runs` : "Runs"} of the same program on this host in 7
              days.
            </p>
            <ul className={classes.runs} aria-label="Other runs">
              {found.data.map((run) => (
                <li key={run.id}>
                  <button type="button" className={classes.run} onClick={() => patch({ selected: run.id })}>
                    <RunFacts run={run} at={instant.at} />
                  </button>
                </li>
              ))}
            </ul>
          </>
        )
      }
    </QueryResult>
  );
}

function RunFacts({ run, at }: { run: Run; at: number }) {
  const { attributes } = run;
  const start = secondsOf(attributes.start);
  const end = attributes.ended === null ? run.last_seen : secondsOf(attributes.ended);
  const cost = costText(attributes.cost);
  // The next snapshot of it may be on its way.
  const isRunning = attributes.ended === null && attributes.exit_code === null && run.last_seen >= at - 60;
  return (
    <>
      <span className={classes.runTop}>
        <span>
          <Moment seconds={start} /> <span className={classes.quiet}>for {formatDuration(end - start)}</span>
        </span>
        <span className={classes.quiet}>
          pid {attributes.pid}, {isRunning ? "running" : outcomeOf(attributes)}
          {cost !== "" && `, ${cost}`}
        </span>
      </span>
      <span className={classes.runCommand}>
        {run.same_cmdline ? "same command line" : <bdi>{brief(attributes.cmdline, 500)}</bdi>}
      </span>
    </>
  );
}
