/** Groups in rows: what their processes have in common, how many they are, and what they use. */

import type { Measure, Statistic, Unit } from "../api/measures";
import type { Groups, Measured, MeasuredGroup } from "../api/types";
import { useFilterByGroup } from "../state/grouping/useFilterByGroup";
import { useView } from "../state/useView";
import { formatMeasure, measureOf, STATISTIC_HEADINGS } from "../ui/format/measures";
import { formatCount } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import shared from "../ui/parts/parts.module.css";
import { SortHeader } from "../ui/parts/SortHeader";
import type { GroupView } from "./groupColumns";
import classes from "./groups.module.css";

/** What leaves only the processes of a group; null where nothing does. */
type Filters = ReturnType<ReturnType<typeof useFilterByGroup>>;

interface GroupTableProps {
  found: Groups;
  view: GroupView;
  onSort: (sort: string) => void;
}

export function GroupTable({ found, view, onSort }: GroupTableProps) {
  // What has been answered, and not what has been asked for since.
  const keys = found.meta.by.split(",");
  const [by = "", second] = keys;
  const filterBy = useFilterByGroup(by);
  const filterBySecond = useFilterByGroup(second ?? by);
  const numbers = found.data[0]?.numbers ?? {};
  const columns = view.measures.flatMap((measure) =>
    view.statistics.filter((one) => one in (numbers[measure] ?? {})).map((statistic) => ({ measure, statistic })),
  );
  const filtersOf = (group: MeasuredGroup) => {
    const filters = filterBy(group.value);
    if (second === undefined || filters === null) return filters;
    return filterBySecond(group.second ?? null, false, filters);
  };
  const most = Math.max(1, ...found.data.map((group) => group.count));
  const sorting = { sort: view.sort, onSort };
  return (
    <div className={shared.tableBox} tabIndex={0} role="region" aria-label="Table of groups">
      <table className={shared.table}>
        <thead>
          <tr>
            <SortHeader column="value" label={brief(by)} {...sorting} />
            {second !== undefined && <SortHeader column="second" label={brief(second)} {...sorting} />}
            <SortHeader column="count" label="Processes" isNumber {...sorting} />
            {columns.map(({ measure, statistic }) => (
              <SortHeader
                key={`${statistic}:${measure}`}
                column={`${statistic}:${measure}`}
                label={`${measureOf(measure).label}, ${STATISTIC_HEADINGS[statistic]}`}
                isNumber
                {...sorting}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {found.data.map((group) => (
            <GroupRow
              key={JSON.stringify([group.value, group.second])}
              keys={keys}
              group={group}
              columns={columns}
              most={most}
              filters={filtersOf(group)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface GroupRowProps {
  keys: readonly string[];
  group: MeasuredGroup;
  columns: readonly { measure: Measure; statistic: Statistic }[];
  /** Of the largest group that is shown. */
  most: number;
  filters: Filters;
}

function GroupRow({ keys: [by = "", second], group, columns, most, filters }: GroupRowProps) {
  return (
    <tr>
      <td>
        <GroupName by={by} value={group.value} filters={filters} />
      </td>
      {second !== undefined && (
        <td>
          <GroupName by={second} value={group.second ?? null} filters={filters} />
        </td>
      )}
      <td className={shared.number}>
        <span className={classes.count}>
          <meter className={classes.share} min={0} max={most} value={group.count} aria-hidden="true" />
          {formatCount(group.count)}
        </span>
      </td>
      {columns.map(({ measure, statistic }) => (
        <Amount
          key={`${statistic}:${measure}`}
          statistic={statistic}
          measure={measure}
          measured={group.numbers[measure]}
          count={group.count}
        />
      ))}
    </tr>
  );
}

interface GroupNameProps {
  by: string;
  value: string | null;
  filters: Filters;
}

/** A click leaves the processes of the group only, and shows them. */
function GroupName({ by, value, filters }: GroupNameProps) {
  const [, patch] = useView();
  const name =
    value === null ? <em>without {brief(by)}</em> : value === "" ? <em>empty</em> : <bdi>{brief(value)}</bdi>;
  if (filters === null) {
    return (
      <span className={shared.text} title={brief(value ?? "")}>
        {name}
      </span>
    );
  }
  return (
    <button
      type="button"
      className={`${shared.link} ${shared.text}`}
      title={value !== null ? brief(value) : `Processes that have no tag ${brief(by)}`}
      onClick={() => patch({ ...filters, tab: "table" })}
    >
      {name}
    </button>
  );
}

/** What many use together is in cores. */
function amountText(amount: number | null | undefined, statistic: Statistic, unit: Unit): string {
  if (statistic !== "sum" || unit !== "percent") return formatMeasure(amount, unit);
  return formatMeasure(amount == null ? null : amount / 100, "cores");
}

interface AmountProps {
  statistic: Statistic;
  measure: Measure;
  measured: Measured | undefined;
  count: number;
}

function Amount({ statistic, measure, measured, count }: AmountProps) {
  const known = measured?.known ?? 0;
  const isPart = known > 0 && known < count;
  return (
    <td
      className={shared.number}
      title={isPart ? `Reported by ${formatCount(known)} of ${formatCount(count)} processes` : undefined}
    >
      {amountText(measured?.[statistic], statistic, measureOf(measure).unit)}
      {isPart && (
        <span className={classes.part}>
          <span aria-hidden="true">*</span>
          <span className={shared.visuallyHidden}>, reported by {formatCount(known)}</span>
        </span>
      )}
    </td>
  );
}
