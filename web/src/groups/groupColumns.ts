import { MEASURES, STATISTICS, type Measure, type Statistic } from "../api/measures";

export const DEFAULT_MEASURES = "cpu_total_percent,rss_bytes";
export const DEFAULT_STATISTICS = "sum,max";

/** Names of measures, as an address has them: what is none is left out, and each is there once. */
export function measuresOf(text: string): Measure[] {
  const names = new Set(text.split(","));
  const found = MEASURES.filter((measure) => names.has(measure.name)).map((measure) => measure.name);
  return found.length > 0 ? found : measuresOf(DEFAULT_MEASURES);
}

/** Names of statistics, likewise. */
export function statisticsOf(text: string): Statistic[] {
  const names = new Set(text.split(","));
  const found = STATISTICS.filter((statistic) => names.has(statistic));
  return found.length > 0 ? found : statisticsOf(DEFAULT_STATISTICS);
}

/** One key or two, as the API takes them: one with a comma would be taken for two. */
export function keysOf(by: string, second: string): string {
  const [first = "", other = ""] = [by, second].map((key) => key.replaceAll(",", " ").trim());
  return other === "" || other === first ? first : `${first},${other}`;
}

/** What is shown of groups, and in which order. */
export interface GroupView {
  /** `command`, or `command,host`. */
  keys: string;
  measures: readonly Measure[];
  statistics: readonly Statistic[];
  sort: string;
}

/** The view with a sort that its columns know, else the one by count. */
export function withKnownSort(view: GroupView): GroupView {
  const column = view.sort.replace(/^-/, "");
  const columns = ["count", "value", ...(view.keys.includes(",") ? ["second"] : []), ...amountsOf(view)];
  return columns.includes(column) ? view : { ...view, sort: "-count" };
}

/** The columns of numbers: `sum:rss_bytes`. */
export function amountsOf({ measures, statistics }: Pick<GroupView, "measures" | "statistics">): string[] {
  return measures.flatMap((measure) => statistics.map((statistic) => `${statistic}:${measure}`));
}

/** As parameters of the API. */
export function groupParams({ keys, measures, statistics, sort }: GroupView) {
  return { by: keys, measures: measures.join(","), statistics: statistics.join(","), sort };
}
