import { Checkbox, MultiSelect, Select, Textarea, TextInput } from "@mantine/core";

import classes from "../monitors.module.css";
import type { FieldsProps } from "./MonitorForm";

const MISSING = [
  { value: "", label: "As the server has it" },
  { value: "show_no_data", label: "Show No Data" },
  { value: "show_and_notify_no_data", label: "Show No Data and tell" },
  { value: "resolve", label: "Count as OK" },
];
const STATUSES = [
  { value: "alert", label: "Alert" },
  { value: "warn", label: "Warn" },
  { value: "no data", label: "No Data" },
];

/** What silence means, and how often it is told. */
export function TimingFields({ draft, set }: FieldsProps) {
  return (
    <fieldset className={classes.fieldset}>
      <legend>When it is told</legend>
      <div className={classes.fields}>
        <Select
          size="xs"
          label="Where an agent is silent"
          data={MISSING}
          value={draft.missing}
          allowDeselect={false}
          onChange={(missing) => set({ missing: missing ?? "" })}
        />
        <TextInput
          size="xs"
          label="Tell again after minutes"
          inputMode="numeric"
          placeholder="never"
          value={draft.renotifyMinutes}
          onChange={(event) => set({ renotifyMinutes: event.currentTarget.value })}
        />
        <Checkbox
          size="xs"
          label="Draft: evaluate, and tell nobody"
          checked={draft.isDraft}
          onChange={(event) => set({ isDraft: event.currentTarget.checked })}
        />
      </div>
      {draft.renotifyMinutes.trim() !== "" && <AgainFields draft={draft} set={set} />}
    </fieldset>
  );
}

/** Of what is told again. */
function AgainFields({ draft, set }: FieldsProps) {
  return (
    <>
      <div className={classes.fields}>
        <TextInput
          size="xs"
          label="Tell again at most"
          inputMode="numeric"
          placeholder="as often as it holds"
          value={draft.renotifyOccurrences}
          onChange={(event) => set({ renotifyOccurrences: event.currentTarget.value })}
        />
        <MultiSelect
          size="xs"
          label="Tell again of"
          data={STATUSES}
          placeholder={draft.renotifyStatuses.length === 0 ? "Alert, No Data" : ""}
          value={draft.renotifyStatuses}
          onChange={(renotifyStatuses) => set({ renotifyStatuses })}
        />
      </div>
      <Textarea
        size="xs"
        label="Message when told again"
        description="A template; the message above where this is empty."
        rows={2}
        value={draft.escalationMessage}
        onChange={(event) => set({ escalationMessage: event.currentTarget.value })}
      />
    </>
  );
}
