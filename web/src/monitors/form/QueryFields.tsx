import { Select, TextInput } from "@mantine/core";

import type { Comparison, MonitorFunction } from "../../api/monitors";
import { MEASURE_CHOICES } from "../../ui/format/measures";
import classes from "../monitors.module.css";
import type { FieldsProps } from "./MonitorForm";
import { hasMeasure, hasWindow } from "./queryText";

const FUNCTIONS: { value: MonitorFunction; label: string }[] = [
  { value: "count_now", label: "Number of processes now" },
  { value: "count", label: "Number of processes in a time" },
  { value: "sum", label: "Sum of" },
  { value: "max", label: "Greatest" },
  { value: "starts", label: "Starts in a time" },
  { value: "first_seen", label: "Seen for the first time" },
];
const COMPARISONS: { value: Comparison; label: string }[] = [
  { value: "<", label: "below" },
  { value: "<=", label: "at or below" },
  { value: ">", label: "above" },
  { value: ">=", label: "at or above" },
  { value: "==", label: "equal to" },
  { value: "!=", label: "not equal to" },
];

/** Which processes, what of them, and from when on it matters. */
export function QueryFields({ draft, set }: FieldsProps) {
  return (
    <fieldset className={classes.fieldset}>
      <legend>Which processes</legend>
      <div className={classes.fields}>
        <TextInput
          size="xs"
          label={draft.language === "procession" ? "Search" : "Search, in Datadog's language"}
          value={draft.search}
          spellCheck={false}
          onChange={(event) => set({ search: event.currentTarget.value })}
        />
        <TextInput
          size="xs"
          label="Tags"
          placeholder="env:prod, !role:test"
          value={draft.over}
          spellCheck={false}
          onChange={(event) => set({ over: event.currentTarget.value })}
        />
        <TextInput
          size="xs"
          label="A state for each"
          placeholder="host, command"
          value={draft.by}
          spellCheck={false}
          onChange={(event) => set({ by: event.currentTarget.value })}
        />
      </div>
      <WhatFields draft={draft} set={set} />
      <ThresholdFields draft={draft} set={set} />
    </fieldset>
  );
}

function WhatFields({ draft, set }: FieldsProps) {
  return (
    <div className={classes.fields}>
      <Select
        size="xs"
        label="Alert when"
        data={FUNCTIONS}
        value={draft.function}
        allowDeselect={false}
        onChange={(name) => set({ function: name ?? draft.function })}
      />
      {hasMeasure(draft.function) && (
        <Select
          size="xs"
          label="Measure"
          data={MEASURE_CHOICES}
          value={draft.measure}
          allowDeselect={false}
          onChange={(name) => set({ measure: name ?? draft.measure })}
        />
      )}
      {hasWindow(draft.function) && (
        <TextInput
          size="xs"
          label="In the last"
          placeholder="5m"
          value={draft.window}
          onChange={(event) => set({ window: event.currentTarget.value })}
        />
      )}
      <Select
        size="xs"
        label="is"
        data={COMPARISONS}
        value={draft.comparison}
        allowDeselect={false}
        onChange={(name) => set({ comparison: name ?? draft.comparison })}
      />
    </div>
  );
}

function ThresholdFields({ draft, set }: FieldsProps) {
  const isExact = draft.comparison === "==" || draft.comparison === "!=";
  const fields = [
    ["critical", "Alert"],
    ["warning", "Warning"],
    ["criticalRecovery", "Alert ends at"],
    ["warningRecovery", "Warning ends at"],
  ] as const;
  return (
    <div className={classes.fields}>
      {(isExact ? fields.slice(0, 1) : fields).map(([name, label]) => (
        <TextInput
          key={name}
          size="xs"
          label={label}
          inputMode="decimal"
          value={draft[name]}
          onChange={(event) => set({ [name]: event.currentTarget.value })}
        />
      ))}
    </div>
  );
}
