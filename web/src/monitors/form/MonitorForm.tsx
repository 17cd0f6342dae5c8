/** A monitor being written: its query, what it says, to whom, and when it would have fired. */

import { Button } from "@mantine/core";
import { useMemo, useState, type SyntheticEvent } from "react";

import { send } from "../../api/client";
import type { Monitor, MonitorBody } from "../../api/monitors";
import { visible } from "../../ui/format/text";
import shared from "../../ui/parts/parts.module.css";
import classes from "../monitors.module.css";
import { SendTest } from "../one/SendTest";
import { usePlace } from "../shared/place";
import { Problem } from "../shared/Problem";
import { useChange } from "../shared/useMonitorApi";
import { BacktestPreview } from "./BacktestPreview";
import { bodyOf, type Draft, type Written } from "./draft";
import { MessageFields } from "./MessageFields";
import { QueryFields } from "./QueryFields";
import { RareFields } from "./RareFields";
import { TimingFields } from "./TimingFields";

interface MonitorFormProps {
  title: string;
  begin: Written;
  /** Of the monitor that is changed; null for a new one. */
  id: number | null;
}

export interface FieldsProps {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
}

export function MonitorForm({ title, begin, id }: MonitorFormProps) {
  const [, go] = usePlace();
  const [written, setWritten] = useState(begin);
  const { draft } = written;
  const set = (change: Partial<Draft>) => setWritten({ ...written, draft: { ...draft, ...change } });
  const body = useMemo(() => bodyOf(written), [written]);
  const saving = useChange(
    (monitor: MonitorBody) =>
      id === null
        ? send<Monitor>("POST", "/api/v1/monitor", monitor)
        : send<Monitor>("PUT", `/api/v1/monitor/${id}`, monitor),
    (saved) => go({ part: "monitor", id: saved.id }),
  );
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    saving.mutate(body);
  };
  const leave = () => go(id === null ? { part: "list" } : { part: "monitor", id });
  return (
    <form className={classes.form} aria-label={title} onSubmit={submit}>
      <h2 className={classes.heading}>{title}</h2>
      <QueryFields draft={draft} set={set} />
      <code className={classes.query} aria-label="Query">
        {visible(body.query)}
      </code>
      <fieldset className={classes.fieldset}>
        <legend>Back-test</legend>
        <BacktestPreview monitor={body} query={measuredBy(draft)} />
      </fieldset>
      <MessageFields draft={draft} set={set} />
      <TimingFields draft={draft} set={set} />
      <RareFields draft={draft} set={set} />
      <Problem error={saving.error} />
      <div className={shared.bar}>
        <Button size="sm" type="submit" loading={saving.isPending} disabled={draft.name.trim() === ""}>
          {id === null ? "Save the monitor" : "Save the changes"}
        </Button>
        <Button size="sm" variant="default" onClick={leave}>
          Cancel
        </Button>
        <SendTest monitor={body} />
      </div>
    </form>
  );
}

/** What units and links need of the query, before the server has read it. */
function measuredBy(draft: Draft) {
  const isMeasured = draft.function === "sum" || draft.function === "max";
  return {
    search: draft.search,
    language: draft.language,
    over: draft.over.split(",").map((tag) => tag.trim()),
    by: [],
    function: draft.function,
    measure: isMeasured ? draft.measure : null,
    window_seconds: 0,
    comparison: draft.comparison,
    threshold: Number(draft.critical),
  };
}
