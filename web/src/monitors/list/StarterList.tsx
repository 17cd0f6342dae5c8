import { Button } from "@mantine/core";

import type { Starter } from "../../api/monitors";
import shared from "../../ui/parts/parts.module.css";
import { QueryResult } from "../../ui/parts/QueryResult";
import classes from "../monitors.module.css";
import { usePlace } from "../shared/place";
import { useMonitorApi } from "../shared/useMonitorApi";

/** Monitors that almost everybody wants: a click opens the form with one, to be changed and saved. */
export function StarterList({ mayWrite }: { mayWrite: boolean }) {
  const [, go] = usePlace();
  const starters = useMonitorApi<{ starters: Starter[] }>("/monitors/starters");
  return (
    <QueryResult query={starters} label="Loading starters" isMoving>
      {(found) => (
        <>
          <p className={shared.note}>What almost everybody wants to know. Each opens as a form: change it, see when it would have fired, save it.</p>
          <ul className={classes.starters} aria-label="Starters">
            {found.starters.map(({ id, about, monitor }) => (
              <li key={id} className={classes.starter}>
                <strong>{monitor.name}</strong>
                <span>{about}</span>
                <code className={classes.query}>{monitor.query}</code>
                <Button
                  size="xs"
                  variant="default"
                  disabled={!mayWrite}
                  aria-label={`Begin with: ${monitor.name}`}
                  onClick={() => go({ part: "new", starter: id })}
                >
                  Begin with: {monitor.name}
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
    </QueryResult>
  );
}
