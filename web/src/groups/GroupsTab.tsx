/** Processes of the instant put together by a tag or an attribute: counts, sums and maxima. */

import { Button, MultiSelect } from "@mantine/core";
import { useState } from "react";

import type { Group, Groups, Measure, Measured } from "../api/types";
import { formatMeasure, MEASURE_CHOICES, measureOf } from "../charts/measures";
import { formatCount } from "../format/numbers";
import { brief } from "../format/text";
import { Answer } from "../parts/Answer";
import { ByPicker } from "../parts/ByPicker";
import classes from "../parts/parts.module.css";
import { useAnswer } from "../parts/useAnswer";
import { useFilterBy } from "../parts/useFilterBy";
import { Empty } from "../shell/Empty";
import { NothingKnown } from "../shell/NothingKnown";
import { instantParams, useInstant } from "../state/instant";
import { useExtra, useView } from "../state/useView";
import own from "./groups.module.css";
import { DEFAULT_MEASURES, directionOf, knownSort, measuresOf, nextSort } from "./measuresOf";

const FEW = 100;
const MOST = 1000;

export function GroupsTab() {
  const [view, patch] = useView();
  const instant = useInstant();
  const [measuresText, setMeasures] = useExtra("measures", DEFAULT_MEASURES);
  const [sortText, setSort] = useExtra("groupsort", "-count");
  const [limit, setLimit] = useState(FEW);
  const measures = measuresOf(measuresText);
  const sort = knownSort(sortText, measures);
  const query = useAnswer<Groups>(
    "/groups",
    { ...instantParams(view, instant), by: view.by, measures: measures.join(","), sort, limit },
    { isMoving: instant.isLive },
  );
  return (
    <section className={classes.tab} aria-label="Groups">
      <div className={classes.bar}>
        <ByPicker label="Group by" value={view.by} onChange={(by) => patch({ by })} />
        <MultiSelect
          label="Measures"
          size="xs"
          className={own.measures}
          data={MEASURE_CHOICES}
          value={measures}
          onChange={(names) => setMeasures(names.join(","))}
          maxValues={6}
          hidePickedOptions
        />
      </div>
      <Answer query={query} label="Counting groups" isMoving={instant.isLive}>
        {(found) =>
          !found.meta.known ? (
            <NothingKnown />
          ) : found.data.length === 0 ? (
            <Empty title="No process fits">Change the search, the tags or the time.</Empty>
          ) : (
            <>
              <p className={classes.note} role="status">
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
              {found.data.length < found.meta.groups && limit < MOST && (
                <Button size="xs" variant="default" onClick={() => setLimit(MOST)}>
                  Show up to {formatCount(MOST)}
                </Button>
              )}
            </>
          )
        }
      </Answer>
    </section>
  );
}

type Filters = NonNullable<ReturnType<ReturnType<typeof useFilterBy>>>;

interface GroupTableProps {
  found: Groups;
  measures: readonly Measure[];
  sort: string;
  onSort: (column: string) => void;
}

function GroupTable({ found, measures, sort, onSort }: GroupTableProps) {
  const filterBy = useFilterBy(found.meta.by);
  const most = Math.max(1, ...found.data.map((group) => group.count));
  const header = (column: string, label: string, isNumber = true) => (
    <th
      scope="col"
      className={isNumber ? classes.number : undefined}
      aria-sort={directionOf(sort, column) ?? "none"}
      key={column}
    >
      <button type="button" className={own.sort} onClick={() => onSort(column)}>
        {label}
        <span aria-hidden="true">
          {{ ascending: " ↑", descending: " ↓", none: "" }[directionOf(sort, column) ?? "none"]}
        </span>
      </button>
    </th>
  );
  return (
    <div className={classes.tableBox} tabIndex={0} role="region" aria-label="Table of groups">
      <table className={classes.table}>
        <thead>
          <tr>
            {header("value", brief(found.meta.by), false)}
            {header("count", "Processes")}
            {measures.flatMap((name) => {
              const { label } = measureOf(name);
              return [header(`sum:${name}`, `${label}, sum`), header(`max:${name}`, `${label}, max`)];
            })}
          </tr>
        </thead>
        <tbody>
          {found.data.map((group) => (
            <tr key={JSON.stringify(group.value)}>
              <td>
                <GroupName by={found.meta.by} group={group} filters={filterBy(group.value)} />
              </td>
              <td className={classes.number}>
                <span className={own.count}>
                  <meter className={own.share} min={0} max={most} value={group.count} aria-hidden="true" />
                  {formatCount(group.count)}
                </span>
              </td>
              {measures.flatMap((name) => [
                <Amount
                  key={`sum:${name}`}
                  how="sum"
                  measure={name}
                  amount={group.numbers[name]}
                  count={group.count}
                />,
                <Amount
                  key={`max:${name}`}
                  how="max"
                  measure={name}
                  amount={group.numbers[name]}
                  count={group.count}
                />,
              ])}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
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
      <span className={classes.text} title={brief(group.value ?? "")}>
        {name}
      </span>
    );
  }
  return (
    <button
      type="button"
      className={`${classes.link} ${classes.text}`}
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
  amount: Measured | undefined;
  count: number;
}

function Amount({ how, measure, amount, count }: AmountProps) {
  const known = amount?.known ?? 0;
  const isPart = known > 0 && known < count;
  return (
    <td
      className={classes.number}
      title={isPart ? `Known of ${formatCount(known)} of ${formatCount(count)}` : undefined}
    >
      {formatMeasure(amount?.[how], measureOf(measure).unit)}
      {isPart && (
        <span className={own.part}>
          <span aria-hidden="true">*</span>
          <span className={classes.hidden}>, known of {formatCount(known)}</span>
        </span>
      )}
    </td>
  );
}
