import { Button, Group, TextInput } from "@mantine/core";
import { useState } from "react";

import { formatUtc, fromInputValue, toInputValue } from "../ui/format/times";

const BACK = [
  { label: "1 h", seconds: 3600 },
  { label: "24 h", seconds: 86_400 },
];

interface MomentPickerProps {
  label: string;
  seconds: number;
  /** Whether it is that of the view, and not chosen here. */
  isDefault: boolean;
  /** The moment that "1 h before" is before of; without it there is no such choice. */
  other?: number;
  onChange: (value: string) => void;
}

export function MomentPicker({ label, seconds, isDefault, other, onChange }: MomentPickerProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const commit = () => {
    const moment = typed === null ? null : fromInputValue(typed);
    setTyped(null);
    if (moment !== null && moment !== seconds) onChange(String(moment));
  };
  return (
    <div>
      <TextInput
        type="datetime-local"
        step={1}
        size="xs"
        w={215}
        label={label}
        title={formatUtc(seconds)}
        value={typed ?? toInputValue(seconds)}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === "Enter") commit();
        }}
      />
      <Group gap={4} mt={4}>
        {other !== undefined &&
          BACK.map((back) => (
            <Button
              key={back.label}
              size="compact-xs"
              variant="default"
              onClick={() => onChange(String(other - back.seconds))}
            >
              {back.label} before
            </Button>
          ))}
        {!isDefault && (
          <Button size="compact-xs" variant="subtle" onClick={() => onChange("")}>
            Reset
          </Button>
        )}
      </Group>
    </div>
  );
}
