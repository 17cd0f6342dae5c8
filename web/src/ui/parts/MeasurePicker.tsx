import { Select } from "@mantine/core";

import type { Measure } from "../../api/measures";
import { MEASURE_CHOICES, measureName } from "../format/measures";

interface MeasurePickerProps {
  label: string;
  value: Measure;
  onChange: (measure: Measure) => void;
}

export function MeasurePicker({ label, value, onChange }: MeasurePickerProps) {
  return (
    <Select
      label={label}
      size="xs"
      w={170}
      data={MEASURE_CHOICES}
      value={value}
      allowDeselect={false}
      onChange={(name) => onChange(measureName(name ?? undefined, value))}
    />
  );
}
