import { Autocomplete } from "@mantine/core";

export interface PickerProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

interface SuggestionInputProps extends PickerProps {
  typed: string | null;
  onType: (text: string | null) => void;
  suggestions: readonly string[];
  placeholder?: string;
}

/** A text with suggestions; what is typed counts on Enter and when the focus leaves. */
export function SuggestionInput({ label, value, typed, onType, onChange, suggestions, placeholder }: SuggestionInputProps) {
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
      data={[...new Set(suggestions)]}
      filter={({ options }) => options}
      maxLength={250}
      spellCheck={false}
    />
  );
}
