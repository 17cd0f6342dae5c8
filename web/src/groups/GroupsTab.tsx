/** Processes of the instant put together by a tag or an attribute, or by two: counts, sums, averages, percentiles. */

import { Button, MultiSelect } from "@mantine/core";
import { useState } from "react";

import type { Groups } from "../api/types";
import { GroupByPicker } from "../state/grouping/GroupByPicker";
import { followsNow, instantParams, useInstant } from "../state/instant";
import { useExtra, useView } from "../state/useView";
import { MEASURE_CHOICES, STATISTIC_CHOICES } from "../ui/format/measures";
import { formatCount } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import { QueryResult } from "../ui/parts/QueryResult";
import { EmptyState } from "../ui/parts/EmptyState";
import { NoData } from "../ui/parts/NoData";
import shared from "../ui/parts/parts.module.css";
import { useApiQuery } from "../ui/parts/useApiQuery";
import {
  DEFAULT_MEASURES,
  DEFAULT_STATISTICS,
  groupParams,
  keysOf,
  measuresOf,
  statisticsOf,
  withKnownSort,
} from "./groupColumns";
import { GroupExport } from "./GroupExport";
import { GroupTable } from "./GroupTable";
import classes from "./groups.module.css";

const FIRST_GROUPS = 100;
const MAX_GROUPS = 1000;

export function GroupsTab() {
  const [view, patch] = useView();
  const instant = useInstant();
  const [second, setSecond] = useExtra("second", "");
  const [measuresText, setMeasures] = useExtra("measures", DEFAULT_MEASURES);
  const [statisticsText, setStatistics] = useExtra("statistics", DEFAULT_STATISTICS);
  const [sort, setSort] = useExtra("groupsort", "-count");
  const [limit, setLimit] = useState(FIRST_GROUPS);
  const [measures, statistics] = [measuresOf(measuresText), statisticsOf(statisticsText)];
  const shown = withKnownSort({ keys: keysOf(view.by, second), measures, statistics, sort });
  const params = instantParams(view, instant);
  const query = useApiQuery<Groups>(
    "/groups",
    { ...params, ...groupParams(shown), limit },
    { isMoving: instant.isLive },
  );
  return (
    <section className={shared.tab} aria-label="Groups">
      <div className={shared.bar}>
        <GroupByPicker label="Group by" value={view.by} onChange={(by) => patch({ by })} />
        <GroupByPicker label="And by" value={second} onChange={setSecond} onClear={() => setSecond(null)} />
        <NamesPicker label="Measures" choices={MEASURE_CHOICES} value={measures} onChange={setMeasures} most={6} />
        <NamesPicker label="Statistics" choices={STATISTIC_CHOICES} value={statistics} onChange={setStatistics} />
        <GroupExport view={shown} params={params} />
      </div>
      <QueryResult query={query} label="Counting groups" isMoving={instant.isLive}>
        {(found) =>
          !found.meta.known ? (
            <NoData isNow={followsNow(view.time)} />
          ) : found.data.length === 0 ? (
            <EmptyState title="No process matches">Change the search, the tags or the time.</EmptyState>
          ) : (
            <>
              <p className={shared.note} role="status">
                {formatCount(found.meta.total)} processes in {formatCount(found.meta.groups)}{" "}
                {found.meta.groups === 1 ? "group" : "groups"} by{" "}
                <bdi>{brief(found.meta.by.replace(",", " and "))}</bdi>
                {found.data.length < found.meta.groups && `; the first ${formatCount(found.data.length)} are shown`}
              </p>
              <GroupTable found={found} view={shown} onSort={setSort} />
              {found.data.length < found.meta.groups && limit < MAX_GROUPS && (
                <Button size="xs" variant="default" onClick={() => setLimit(MAX_GROUPS)}>
                  Show up to {formatCount(MAX_GROUPS)}
                </Button>
              )}
            </>
          )
        }
      </QueryResult>
    </section>
  );
}

interface NamesPickerProps {
  label: string;
  choices: { value: string; label: string }[];
  value: string[];
  onChange: (names: string) => void;
  most?: number;
}

/** Some of several names. */
function NamesPicker({ label, choices, value, onChange, most = choices.length }: NamesPickerProps) {
  return (
    <MultiSelect
      label={label}
      size="xs"
      className={classes.measures}
      data={choices}
      value={value}
      onChange={(names) => onChange(names.join(","))}
      maxValues={most}
      hidePickedOptions
    />
  );
}
