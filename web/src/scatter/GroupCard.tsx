import { Button, Group, Text } from "@mantine/core";

import { useFilterByGroup } from "../state/grouping/useFilterByGroup";
import { formatMeasure } from "../ui/format/measures";
import { formatCount } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import type { Dots, GroupDot } from "./dots";
import { FilterButton } from "./PointCard";
import classes from "./scatter.module.css";

interface GroupCardProps {
  group: GroupDot;
  by: string;
  dots: Dots;
  isPicked: boolean;
  onClose: () => void;
}

/** What a group is. */
export function GroupCard({ group, by, dots, isPicked, onClose }: GroupCardProps) {
  const filterBy = useFilterByGroup(by);
  const { value, count, x, y } = group;
  return (
    <>
      <Text size="sm" fw={600} className={classes.line}>
        <bdi>{value === null ? `without ${brief(by)}` : value === "" ? "empty" : brief(value)}</bdi>
      </Text>
      <Text size="xs" c="var(--ink-quiet)" className={classes.line}>
        {formatCount(count)} {count === 1 ? "process" : "processes"}
      </Text>
      <Text size="xs" className={classes.line}>
        {dots.xAxis.label} {formatMeasure(x, dots.xAxis.unit)}; {dots.yAxis.label} {formatMeasure(y, dots.yAxis.unit)}
      </Text>
      {isPicked && (
        <Group gap={4} mt={6}>
          <FilterButton label="Filter" filters={filterBy(value)} onUse={onClose} />
          <FilterButton label="Exclude" filters={filterBy(value, true)} onUse={onClose} />
          <Button size="compact-xs" variant="subtle" color="gray" onClick={onClose}>
            Close
          </Button>
        </Group>
      )}
    </>
  );
}
