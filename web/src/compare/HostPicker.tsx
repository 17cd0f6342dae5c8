import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";

import type { Facets } from "../api/types";
import { instantParams, useInstant } from "../state/instant";
import { useApiQuery } from "../ui/parts/useApiQuery";
import { SuggestionInput, type PickerProps } from "./SuggestionInput";

export function HostPicker({ label, value, onChange }: PickerProps) {
  const instant = useInstant();
  const [typed, setTyped] = useState<string | null>(null);
  const [prefix] = useDebouncedValue(typed ?? "", 150);
  const [at] = useState(instant.at);
  const hosts = useApiQuery<Facets>(
    "/facets",
    { ...instantParams({ search: "", tags: [] }, { at }), keys: "host", limit: 30, prefix },
    { isEnabled: typed !== null },
  );
  const names = hosts.data?.facets[0]?.values.map((one) => one.value) ?? [];
  return (
    <SuggestionInput
      label={label}
      value={value}
      typed={typed}
      onType={setTyped}
      onChange={onChange}
      suggestions={names}
    />
  );
}
