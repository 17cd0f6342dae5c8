/** What Procession's API answers; docs/api.md says what each field means. */

import type { Measure } from "./measures";

export type ProcessNumbers = Record<Measure, number | null> & { state: string | null };

export interface ProcessAttributes {
  cmdline: string;
  /** UTC, `2026-03-02T14:21:07`, as are `start` and `ended`. */
  timestamp: string;
  start: string;
  user: string;
  pid: number;
  ppid: number;
  host: string;
  tags: string[];
  /** Null where it is not known where they end. */
  args: string[] | null;
  exe: string;
  cwd: string;
  root: string;
  comm: string;
  group: string;
  container_id: string;
  uid: number | null;
  gid: number | null;
  namespace_pid: number | null;
  nice: number | null;
  ended: string | null;
  exit_code: number | null;
  signal: string | null;
  numbers: ProcessNumbers;
}

export interface ProcessItem {
  type: "process";
  id: string;
  attributes: ProcessAttributes;
}

/** What every answer about an instant or a window has. */
export interface Meta {
  /** Whether any host reported. Where none did, an empty answer does not mean that there were no processes. */
  known: boolean;
  /** What may have been meant, where nothing was found. */
  hints?: string[];
}

/** Of an instant; of a window there is neither `at` nor `total`. */
export interface ProcessList {
  meta: Meta & { at?: number; total?: number; page: { after: string; size: number } };
  data: ProcessItem[];
}

export interface OneProcess {
  data: ProcessItem;
}

export interface History {
  meta: { from: number; to: number; every: "minute" | "sighting" };
  times: number[];
  numbers: Partial<Record<Measure | "cpu_total_percent_max", (number | null)[]>> & { state?: (string | null)[] };
  ended: number | null;
  exit_code: number | null;
}

export interface TreeItem extends ProcessItem {
  depth: number;
}

/** A process with all above and below it at one moment. */
export interface Relatives {
  meta: { at: number; host: string };
  ancestors: TreeItem[];
  process: TreeItem;
  descendants: TreeItem[];
}

export interface Run extends ProcessItem {
  last_seen: number;
  same_cmdline: boolean;
}

export interface Runs {
  data: Run[];
}

export interface FacetValue {
  value: string;
  count: number;
}

export interface Facet {
  key: string;
  processes: number;
  distinct: number;
  values: FacetValue[];
}

export interface Facets {
  meta: Meta & { total: number; at?: number; from?: number; to?: number };
  facets: Facet[];
}

export interface TagCompletion {
  prefix: string;
  keys: { key: string; count: number }[];
  values: FacetValue[];
}

/** A number of several processes; `known` is of how many, and where it is 0 there is no sum and no max. */
export interface Aggregate {
  sum: number | null;
  max: number | null;
  known: number;
}

export type AggregatedNumbers = Partial<Record<Measure, Aggregate>>;

export interface Group {
  value: string | null;
  count: number;
  numbers: AggregatedNumbers;
}

export interface Groups {
  meta: Meta & { at: number; by: string; total: number; groups: number };
  data: Group[];
}

export interface Points {
  meta: Meta & { at: number; total: number; x: Measure; y: Measure; by: string | null };
  groups: string[];
  points: { id: string[]; x: number[]; y: number[]; group: (number | null)[] };
}

export interface Series {
  value: string | null;
  is_rest: boolean;
  count: (number | null)[];
  numbers: Partial<Record<Measure, (number | null)[]>>;
}

export interface Timeseries {
  meta: Meta & { from: number; to: number; step: number; by: string | null };
  times: number[];
  series: Series[];
}

export interface Host {
  host: string;
  processes: number;
  seen_at: number;
  tags: string[];
  numbers: AggregatedNumbers;
}

export interface Hosts {
  meta: Meta & {
    at: number;
    total: number;
    /** The oldest instant that is answered. */
    oldest: number;
  };
  data: Host[];
}

export type Match = "process" | "cmdline" | "command";

export interface ComparedSide {
  known: boolean;
  at: number;
  total: number;
  /** How many hosts only the other side knows something of, and the first of their names. */
  silent: number;
  silent_hosts: string[];
}

export interface ComparisonMeta {
  left: ComparedSide;
  right: ComparedSide;
  match: Match;
  started: number;
  ended: number;
  changed: number;
  same: number;
}

export interface ChangedProcess {
  before: ProcessItem;
  after: ProcessItem;
  fields: string[];
}

export interface ChangedGroup {
  value: string;
  before: { count: number; numbers: AggregatedNumbers };
  after: { count: number; numbers: AggregatedNumbers };
}

export interface Comparison {
  meta: ComparisonMeta;
  /** Processes with `match=process`, groups with the others. */
  started: (ProcessItem | Group)[];
  ended: (ProcessItem | Group)[];
  changed: (ChangedProcess | ChangedGroup)[];
}

export interface SavedView {
  name: string;
  state: string;
  changed_at: number;
}

export interface Views {
  views: SavedView[];
}

export interface WatchLease {
  host: string | null;
  until: number;
  lease_seconds: number;
}
