import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";

import type { TagCompletion } from "../api/types";
import { useApiQuery } from "../ui/parts/useApiQuery";
import { SuggestionInput, type PickerProps } from "./SuggestionInput";

/** Picks a tag: suggests keys first, then the values of the key that was typed. */
export function TagPicker({ label, value, onChange }: PickerProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const [prefix] = useDebouncedValue(typed ?? "", 150);
  const tags = useApiQuery<TagCompletion>("/tags", { prefix, limit: 30 }, { isEnabled: typed !== null });
  const key = prefix.split(":")[0] ?? "";
  const suggestions = [
    ...(tags.data?.keys.map((one) => `${one.key}:`) ?? []),
    ...(tags.data?.values.map((one) => `${key}:${one.value}`) ?? []),
  ];
  return (
    <SuggestionInput
      label={label}
      value={value}
      typed={typed}
      onType={setTyped}
      onChange={onChange}
      suggestions={suggestions}
      placeholder="version:2.0"
    />
  );
}
