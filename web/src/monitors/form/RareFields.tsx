import { Checkbox, Select, TextInput } from "@mantine/core";
import { useState } from "react";

import classes from "../monitors.module.css";
import type { FieldsProps } from "./MonitorForm";

const EXPECTED = [
  { value: "", label: "That had processes" },
  { value: "tagged_hosts", label: "All hosts with the tags" },
];
const FIELDS = [
  ["noDataMinutes", "No Data after minutes of silence", "0"],
  ["timeoutHours", "Ends after hours of silence", "never"],
  ["evaluationDelay", "Look back by seconds", "0"],
  ["newGroupDelay", "Wait for a new group, seconds", "0"],
  ["newHostDelay", "Wait for a new host, seconds", "300"],
  ["groupRetention", "A group is expected for", "7d"],
] as const;

/** Options that few monitors need; open where one of them is set. */
export function RareFields({ draft, set }: FieldsProps) {
  const [isOpen, setIsOpen] = useState(
    () =>
      draft.requireFullWindow ||
      draft.expectedGroups === "tagged_hosts" ||
      FIELDS.some(([name, , usual]) => draft[name] !== "" && draft[name] !== usual),
  );
  return (
    <details className={classes.rare} open={isOpen} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>More options</summary>
      <div className={classes.fields}>
        {FIELDS.map(([name, label, placeholder]) => (
          <TextInput
            key={name}
            size="xs"
            label={label}
            placeholder={placeholder}
            value={draft[name]}
            onChange={(event) => set({ [name]: event.currentTarget.value })}
          />
        ))}
        <Select
          size="xs"
          label="Expected groups"
          data={EXPECTED}
          value={draft.expectedGroups === "had_processes" ? "" : draft.expectedGroups}
          allowDeselect={false}
          onChange={(expectedGroups) => set({ expectedGroups: expectedGroups ?? "" })}
        />
        <Checkbox
          size="xs"
          label="Only once the whole window is known"
          checked={draft.requireFullWindow}
          onChange={(event) => set({ requireFullWindow: event.currentTarget.checked })}
        />
      </div>
    </details>
  );
}
