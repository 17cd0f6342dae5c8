import { Select } from "@mantine/core";

import type { Match } from "../api/types";
import type { Sides } from "./sides";

/** By what processes of the two sides are taken for the same. */
export function MatchPicker({ sides, onChange }: { sides: Sides; onChange: (match: Match) => void }) {
  const choices: { value: Match; label: string }[] = [
    // The same process is never on two hosts.
    ...(sides.subject === "hosts" ? [] : [{ value: "process" as const, label: "Process" }]),
    { value: "command", label: "Command" },
    { value: "cmdline", label: "Command line" },
  ];
  return (
    <Select
      label="Match by"
      size="xs"
      w={150}
      data={choices}
      value={sides.match}
      allowDeselect={false}
      onChange={(value) => {
        const match = choices.find((choice) => choice.value === value)?.value;
        if (match !== undefined) onChange(match);
      }}
    />
  );
}
