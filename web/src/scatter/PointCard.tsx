import { Button, Group, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";

import type { OneProcess, Points } from "../api/types";
import { useFilterByGroup } from "../state/grouping/useFilterByGroup";
import { useView } from "../state/useView";
import { formatMeasure, measureOf } from "../ui/format/measures";
import { processName } from "../ui/format/processNames";
import { brief } from "../ui/format/text";
import { useApiQuery } from "../ui/parts/useApiQuery";
import classes from "./scatter.module.css";

interface PointCardProps {
  found: Points;
  point: number;
  isPicked: boolean;
  onClose: () => void;
  onOpen: () => void;
}

/** What a point is. Its process is fetched once the pointer rests. */
export function PointCard({ found, point, isPicked, onClose, onOpen }: PointCardProps) {
  const { id, x, y, group } = found.points;
  const [rested] = useDebouncedValue(id[point] ?? "", 120);
  const one = useApiQuery<OneProcess>(`/processes/${rested}`, { at: found.meta.at }, { isEnabled: rested !== "" });
  const process = one.data?.data.id === id[point] ? one.data?.data.attributes : undefined;
  const [xInfo, yInfo] = [measureOf(found.meta.x), measureOf(found.meta.y)];
  const by = found.meta.by ?? "";
  const filterBy = useFilterByGroup(by);
  const at = group[point] ?? null;
  const value = at === null ? null : (found.groups[at] ?? null);
  return (
    <>
      <Text size="sm" fw={600} className={classes.line}>
        <bdi>{process === undefined ? brief(value ?? "…") : brief(processName(process))}</bdi>
      </Text>
      <Text size="xs" c="var(--ink-quiet)" className={classes.line}>
        {process === undefined ? (
          one.isError ? (
            "Its name could not be loaded."
          ) : (
            "…"
          )
        ) : (
          <>
            pid {process.pid} of <bdi>{brief(process.user)}</bdi> on <bdi>{brief(process.host)}</bdi>
          </>
        )}
      </Text>
      <Text size="xs" className={classes.line}>
        {xInfo.label} {formatMeasure(x[point], xInfo.unit)}, {yInfo.label} {formatMeasure(y[point], yInfo.unit)}
      </Text>
      {by !== "command" && (
        <Text size="xs" className={classes.line}>
          <bdi>{value === null ? `without ${by}` : brief(`${by}:${value}`)}</bdi>
        </Text>
      )}
      {isPicked && (
        <Group gap={4} mt={6}>
          <Button size="compact-xs" onClick={onOpen}>
            Open
          </Button>
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

interface FilterButtonProps {
  label: string;
  /** Null where there is nothing to filter by. */
  filters: ReturnType<ReturnType<typeof useFilterByGroup>>;
  onUse: () => void;
}

export function FilterButton({ label, filters, onUse }: FilterButtonProps) {
  const [, patch] = useView();
  if (filters === null) return null;
  return (
    <Button
      size="compact-xs"
      variant="default"
      onClick={() => {
        onUse();
        patch(filters);
      }}
    >
      {label}
    </Button>
  );
}
