import { useComputedColorScheme } from "@mantine/core";
import { useMemo, useState } from "react";

import type { Measure, Statistic } from "../api/measures";
import type { Groups } from "../api/types";
import { useFilterByGroup } from "../state/grouping/useFilterByGroup";
import { useView } from "../state/useView";
import { Legend } from "../ui/charts/Legend";
import { useSeriesColors } from "../ui/charts/useSeriesColors";
import { measureOf, STATISTIC_HEADINGS } from "../ui/format/measures";
import { formatCount } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import shared from "../ui/parts/parts.module.css";
import { groupDots, radiiOf, type Dots, type GroupDot } from "./dots";
import { GroupCard } from "./GroupCard";
import { PlotCanvas } from "./PlotCanvas";
import type { ScaleType } from "./scales";
import { TopTable } from "./TopTable";

/** Of the groups with the most processes; the others share one colour. */
const COLORED = 10;

interface GroupPlotProps {
  found: Groups;
  x: Measure;
  y: Measure;
  statistic: Statistic;
  xScale: ScaleType;
  yScale: ScaleType;
}

/** A dot for each group: two of its numbers, and by its size how many processes it has. */
export function GroupPlot({ found, x, y, statistic, xScale, yScale }: GroupPlotProps) {
  const [, patch] = useView();
  const scheme = useComputedColorScheme("light");
  const [hovered, setHovered] = useState<number | null>(null);
  // By its value: its place may differ in the next answer.
  const [picked, setPicked] = useState<GroupDot | null>(null);
  const { by } = found.meta;
  const filterBy = useFilterByGroup(by);
  const groups = useMemo(() => groupDots(found, x, y, statistic), [found, x, y, statistic]);
  const { dots, entries } = useDots(groups, x, y, statistic);
  const pickedAt = picked === null ? -1 : groups.findIndex(({ value }) => value === picked.value);
  const active = pickedAt >= 0 ? pickedAt : hovered;
  const activeGroup = active === null ? undefined : groups[active];
  const filterTo = (value: string | null) => {
    const filters = filterBy(value);
    if (filters !== null) patch(filters);
  };
  return (
    <>
      <p className={shared.note} role="status">
        {formatCount(groups.length)} of {formatCount(found.meta.groups)} groups by <bdi>{brief(by)}</bdi>
        {found.data.length < found.meta.groups && ", those with the most processes"}. The size of a dot is the number of its
        processes. Click one to filter by its group.
      </p>
      <PlotCanvas
        dots={dots}
        xScale={xScale}
        yScale={yScale}
        scheme={scheme}
        active={activeGroup === undefined ? null : active}
        onHover={setHovered}
        onPick={(dot) => setPicked(dot === null ? null : (groups[dot] ?? null))}
      >
        {activeGroup !== undefined && (
          <GroupCard group={activeGroup} by={by} dots={dots} isPicked={pickedAt >= 0} onClose={() => setPicked(null)} />
        )}
      </PlotCanvas>
      <Legend
        entries={entries}
        scheme={scheme}
        titleOf={(label) => `Filter by ${brief(`${by}:${label}`)}`}
        onToggle={filterTo}
      />
      <TopTable
        dots={dots}
        by={by}
        nameOf={(dot) => groups[dot]?.value ?? null}
        onOpen={(dot) => filterTo(groups[dot]?.value ?? null)}
      />
    </>
  );
}

/** The dots, and the legend of those that have a colour of their own. */
function useDots(groups: readonly GroupDot[], x: Measure, y: Measure, statistic: Statistic) {
  const values = useMemo(
    () => groups.flatMap(({ value }) => (value === null ? [] : [value])).slice(0, COLORED),
    [groups],
  );
  const indexes = useSeriesColors(values);
  const dots = useMemo<Dots>(() => {
    const axis = (name: Measure) => ({
      label: `${measureOf(name).label}, ${STATISTIC_HEADINGS[statistic]}`,
      unit: measureOf(name).unit,
    });
    return {
      noun: "groups",
      x: groups.map((group) => group.x),
      y: groups.map((group) => group.y),
      xAxis: axis(x),
      yAxis: axis(y),
      colors: groups.map(({ value }) => (value === null ? null : (indexes.get(value) ?? null))),
      radii: radiiOf(groups.map(({ count }) => count)),
    };
  }, [groups, x, y, statistic, indexes]);
  const entries = values.map((value) => ({
    key: value,
    label: value === "" ? "empty" : value,
    colorIndex: indexes.get(value) ?? null,
    isShown: true,
    value: formatCount(groups.find((group) => group.value === value)?.count),
  }));
  return { dots, entries };
}
