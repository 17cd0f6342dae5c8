/** Processes of the instant put together by a tag or an attribute: counts, sums and maxima. */

import { Button, MultiSelect } from "@mantine/core";
import { useState } from "react";

import type { Measure } from "../api/measures";
import type { Group, Groups, Aggregate } from "../api/types";
import { GroupByPicker } from "../state/grouping/GroupByPicker";
import { useFilterByGroup } from "../state/grouping/useFilterByGroup";
import { followsNow, instantParams, useInstant } from "../state/instant";
import { useExtra, useView } from "../state/useView";
import { formatMeasure, MEASURE_CHOICES, measureOf } from "../ui/format/measures";
import { formatCount } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import { QueryResult } from "../ui/parts/QueryResult";
import { EmptyState } from "../ui/parts/EmptyState";
import { NoData } from "../ui/parts/NoData";
import shared from "../ui/parts/parts.module.css";
import { useApiQuery } from "../ui/parts/useApiQuery";
import { DEFAULT_MEASURES, directionOf, knownSort, measuresOf, nextSort } from "./groupColumns";
import classes from "./groups.module.css";

const FIRST_GROUPS = 100;
const MAX_GROUPS = 1000;

export function GroupsTab() {
  const [view, patch] = useView();
  const instant = useInstant();
  const [measuresText, setMeasures] = useExtra("measures", DEFAULT_MEASURES);
  const [sortText, setSort] = useExtra("groupsort", "-count");
  const [limit, setLimit] = useState(FIRST_GROUPS);
  const measures = measuresOf(measuresText);
  const sort = knownSort(sortText, measures);
  const query = useApiQuery<Groups>(
    "/groups",
    { ...instantParams(view, instant), by: view.by, measures: measures.join(","), sort, limit },
    { isMoving: instant.isLive },
  );
  return (
    <section className={shared.tab} aria-label="Groups">
      <div className={shared.bar}>
        <GroupByPicker label="Group by" value={view.by} onChange={(by) => patch({ by })} />
        <MultiSelect
          label="Measures"
          size="xs"
          className={classes.measures}
          data={MEASURE_CHOICES}
          value={measures}
          onChange={(names) => setMeasures(names.join(","))}
          maxValues={6}
          hidePickedOptions
        />
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
                {found.meta.groups === 1 ? "group" : "groups"} by <bdi>{brief(found.meta.by)}</bdi>
                {found.data.length < found.meta.groups && `; the first ${formatCount(found.data.length)} are shown`}
              </p>
              <GroupTable
                found={found}
                measures={measures.filter((name) => name in (found.data[0]?.numbers ?? {}))}
                sort={sort}
                onSort={(column) => setSort(nextSort(sort, column))}
              />
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

type Filters = NonNullable<ReturnType<ReturnType<typeof useFilterByGroup>>>;

interface GroupTableProps {
  found: Groups;
  measures: readonly Measure[];
  sort: string;
  onSort: (column: string) => void;
}

function GroupTable({ found, measures, sort, onSort }: GroupTableProps) {
  const filterBy = useFilterByGroup(found.meta.by);
  const most = Math.max(1, ...found.data.map((group) => group.count));
  const sorting = { sort, onSort };
  return (
    <div className={shared.tableBox} tabIndex={0} role="region" aria-label="Table of groups">
      <table className={shared.table}>
        <thead>
          <tr>
            <SortHeader column="value" label={brief(found.meta.by)} isNumber={false} {...sorting} />
            <SortHeader column="count" label="Processes" {...sorting} />
            {measures.flatMap((name) =>
              (["sum", "max"] as const).map((how) => (
                <SortHeader
                  key={`${how}:${name}`}
                  column={`${how}:${name}`}
                  label={`${measureOf(name).label}, ${how}`}
                  {...sorting}
                />
              )),
            )}
          </tr>
        </thead>
        <tbody>
          {found.data.map((group) => (
            <tr key={JSON.stringify(group.value)}>
              <td>
                <GroupName by={found.meta.by} group={group} filters={filterBy(group.value)} />
              </td>
              <td className={shared.number}>
                <span className={classes.count}>
                  <meter className={classes.share} min={0} max={most} value={group.count} aria-hidden="true" />
                  {formatCount(group.count)}
                </span>
              </td>
              {measures.flatMap((name) =>
                (["sum", "max"] as const).map((how) => (
                  <Amount
                    key={`${how}:${name}`}
                    how={how}
                    measure={name}
                    amount={group.numbers[name]}
                    count={group.count}
                  />
                )),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface SortHeaderProps {
  column: string;
  label: string;
  isNumber?: boolean;
  sort: string;
  onSort: (column: string) => void;
}

function SortHeader({ column, label, isNumber = true, sort, onSort }: SortHeaderProps) {
  const direction = directionOf(sort, column) ?? "none";
  return (
    <th scope="col" className={isNumber ? shared.number : undefined} aria-sort={direction}>
      <button type="button" className={classes.sort} onClick={() => onSort(column)}>
        {label}
        <span aria-hidden="true">{{ ascending: " ↑", descending: " ↓", none: "" }[direction]}</span>
      </button>
    </th>
  );
}

/** A click leaves its processes only, and shows them. */
function GroupName({ by, group, filters }: { by: string; group: Group; filters: Filters | null }) {
  const [, patch] = useView();
  const name =
    group.value === null ? (
      <em>without {brief(by)}</em>
    ) : group.value === "" ? (
      <em>empty</em>
    ) : (
      <bdi>{brief(group.value)}</bdi>
    );
  if (filters === null) {
    return (
      <span className={shared.text} title={brief(group.value ?? "")}>
        {name}
      </span>
    );
  }
  return (
    <button
      type="button"
      className={`${shared.link} ${shared.text}`}
      title={group.value !== null ? brief(group.value) : `Processes that have no tag ${brief(by)}`}
      onClick={() => patch({ ...filters, tab: "table" })}
    >
      {name}
    </button>
  );
}

interface AmountProps {
  how: "sum" | "max";
  measure: Measure;
  amount: Aggregate | undefined;
  count: number;
}

function Amount({ how, measure, amount, count }: AmountProps) {
  const known = amount?.known ?? 0;
  const isPart = known > 0 && known < count;
  return (
    <td
      className={shared.number}
      title={isPart ? `Reported by ${formatCount(known)} of ${formatCount(count)} processes` : undefined}
    >
      {formatMeasure(amount?.[how], measureOf(measure).unit)}
      {isPart && (
        <span className={classes.part}>
          <span aria-hidden="true">*</span>
          <span className={shared.visuallyHidden}>, reported by {formatCount(known)}</span>
        </span>
      )}
    </td>
  );
}
