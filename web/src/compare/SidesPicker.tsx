import { Button } from "@mantine/core";
import { IconArrowsExchange } from "@tabler/icons-react";

import { HostPicker } from "./HostPicker";
import { MomentPicker } from "./MomentPicker";
import { instantsOf, type Sides } from "./sides";
import { TagPicker } from "./TagPicker";

interface SidesPickerProps {
  sides: Sides;
  at: number;
  onChange: (sides: Partial<Sides>) => void;
}

/** Both sides, and a button that swaps them. */
export function SidesPicker({ sides, at, onChange }: SidesPickerProps) {
  const [left, right] = instantsOf(sides, at);
  const Picker = sides.subject === "hosts" ? HostPicker : TagPicker;
  return (
    <>
      {sides.subject === "instants" ? (
        <>
          <MomentPicker
            label="Left: before"
            seconds={left}
            isDefault={sides.left === ""}
            other={right}
            onChange={(value) => onChange({ left: value })}
          />
          <MomentPicker
            label="Right: after"
            seconds={right}
            isDefault={sides.right === ""}
            onChange={(value) => onChange({ right: value })}
          />
        </>
      ) : (
        <>
          <Picker label="Left" value={sides.left} onChange={(value) => onChange({ left: value })} />
          <Picker label="Right" value={sides.right} onChange={(value) => onChange({ right: value })} />
        </>
      )}
      <Button
        size="xs"
        variant="default"
        leftSection={<IconArrowsExchange size={15} aria-hidden="true" />}
        onClick={() =>
          onChange(
            sides.subject === "instants"
              ? { left: String(right), right: String(left) }
              : { left: sides.right, right: sides.left },
          )
        }
      >
        Swap
      </Button>
    </>
  );
}
