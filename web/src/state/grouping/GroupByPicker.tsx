import { Autocomplete, CloseButton, Loader } from "@mantine/core";
import { useState } from "react";

import type { TagCompletion } from "../../api/types";
import { useApiQuery } from "../../ui/parts/useApiQuery";
import { useInstant, windowParams } from "../instant";
import { ATTRIBUTE_NAMES } from "./filterByGroup";

interface GroupByPickerProps {
  label: string;
  value: string;
  onChange: (by: string) => void;
  /** Where there may be none; `value` is empty then. */
  onClear?: () => void;
}

/** A tag key or an attribute, of those that there are or any other. */
export function GroupByPicker({ label, value, onChange, onClear }: GroupByPickerProps) {
  const instant = useInstant();
  const [typed, setTyped] = useState<string | null>(null);
  const isAsked = typed !== null;
  // Of the whole window and not of each live step: keys do not come and go by the second.
  const [window] = useState(instant.window);
  const keys = useApiQuery<TagCompletion>(
    "/tags",
    windowParams({ search: "", tags: [] }, { window: { from: Math.max(window.from, window.to - 900), to: window.to } }),
    { isEnabled: isAsked },
  );
  const tagKeys = (keys.data?.keys ?? []).map((key) => key.key);
  const commit = (text: string) => {
    setTyped(null);
    const by = text.trim().toLowerCase();
    if (by !== "" && by !== value) onChange(by);
  };
  return (
    <Autocomplete
      label={label}
      size="xs"
      w={170}
      value={typed ?? value}
      onChange={setTyped}
      onFocus={() => setTyped("")}
      placeholder={value === "" ? "none" : value}
      onOptionSubmit={commit}
      onBlur={() => commit(typed ?? "")}
      onKeyDown={(event) => {
        if (event.key === "Enter" && typed) commit(typed);
      }}
      data={[
        { group: "Tags", items: [...new Set(["command", "host", "user", ...tagKeys])] },
        { group: "Attributes", items: ATTRIBUTE_NAMES.filter((name) => !tagKeys.includes(name)) },
      ]}
      limit={60}
      maxLength={200}
      comboboxProps={{ width: 220, position: "bottom-start" }}
      rightSection={
        keys.isFetching ? (
          <Loader size={12} />
        ) : onClear !== undefined && value !== "" ? (
          <CloseButton size="xs" aria-label={`Clear ${label}`} onClick={onClear} />
        ) : undefined
      }
      spellCheck={false}
    />
  );
}
