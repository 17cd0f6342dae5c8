/** What stands on each side: a moment, a host, or tags. */

import { Autocomplete, Button, Group, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";

import type { Facets, TagCompletion } from "../api/types";
import { instantParams, useInstant } from "../state/instant";
import { formatUtc, fromInput, toInput } from "../ui/format/times";
import { useAnswer } from "../ui/parts/useAnswer";

interface PickerProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

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
    const moment = typed === null ? null : fromInput(typed);
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
        value={typed ?? toInput(seconds)}
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

export function HostPicker({ label, value, onChange }: PickerProps) {
  const instant = useInstant();
  const [typed, setTyped] = useState<string | null>(null);
  const [sought] = useDebouncedValue(typed ?? "", 150);
  const [at] = useState(instant.at);
  const hosts = useAnswer<Facets>(
    "/facets",
    { ...instantParams({ search: "", tags: [] }, { at }), keys: "host", limit: 30, prefix: sought },
    { isEnabled: typed !== null },
  );
  const names = hosts.data?.facets[0]?.values.map((one) => one.value) ?? [];
  return <Choice label={label} value={value} typed={typed} onType={setTyped} onChange={onChange} choices={names} />;
}

/** Of `key:value`: keys first, then the values of the one typed. */
export function TagPicker({ label, value, onChange }: PickerProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const [sought] = useDebouncedValue(typed ?? "", 150);
  const tags = useAnswer<TagCompletion>("/tags", { prefix: sought, limit: 30 }, { isEnabled: typed !== null });
  const key = sought.split(":")[0] ?? "";
  const choices = [
    ...(tags.data?.keys.map((one) => `${one.key}:`) ?? []),
    ...(tags.data?.values.map((one) => `${key}:${one.value}`) ?? []),
  ];
  return (
    <Choice
      label={label}
      value={value}
      typed={typed}
      onType={setTyped}
      onChange={onChange}
      choices={choices}
      placeholder="version:2.0"
    />
  );
}

interface ChoiceProps extends PickerProps {
  typed: string | null;
  onType: (text: string | null) => void;
  choices: readonly string[];
  placeholder?: string;
}

function Choice({ label, value, typed, onType, onChange, choices, placeholder }: ChoiceProps) {
  const commit = (text: string) => {
    // A key alone is on the way to a tag.
    if (text.endsWith(":")) {
      onType(text);
      return;
    }
    onType(null);
    if (text.trim() !== value) onChange(text.trim());
  };
  return (
    <Autocomplete
      label={label}
      size="xs"
      w={240}
      value={typed ?? value}
      placeholder={placeholder ?? "web-1"}
      onChange={onType}
      onFocus={() => onType(value)}
      onOptionSubmit={commit}
      onBlur={() => {
        const text = (typed ?? value).trim();
        onType(null);
        if (text !== value) onChange(text);
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" && typed !== null) commit(typed);
      }}
      // The server has looked for what was typed: all of them fit.
      data={[...new Set(choices)]}
      filter={({ options }) => options}
      maxLength={250}
      spellCheck={false}
    />
  );
}
