/** What Procession's API answers; docs/api.md says what each field means. */

import type { Measure, Statistic } from "./measures";

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
  /** What an agent has found out; null is not known, an empty list is none. */
  language: string | null;
  services: { name: string; found_by: string | null }[] | null;
  listens: { tcp: number[] | null; udp: number[] | null };
  tracers: { runtime_id: string; service: string | null }[] | null;
  instrumented: boolean | null;
  injection: string | null;
  ended: string | null;
  exit_code: number | null;
  signal: string | null;
  oom_killed: boolean | null;
  oom_cgroup: string | null;
  cost: ExitCost | null;
  numbers: ProcessNumbers;
}

/** What a process used from its start to its end. */
export interface ExitCost {
  cpu_user_seconds: number | null;
  cpu_system_seconds: number | null;
  peak_rss_bytes: number | null;
  read_bytes: number | null;
  written_bytes: number | null;
  /** Whether at the end; else all but the peak are of the last snapshot before. */
  is_final: boolean;
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

/** Of an instant, or of a window, which has no `at`, and no `total` where it is listed by cursor. */
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
  /** Values of any key, where they were asked for. */
  matches?: { key: string; value: string; count: number }[];
}

/** What a search looks at. */
export interface CheckedSearch {
  language: string;
  compares: string[];
  words: string[];
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

/** The statistics that were asked for; `known` is of how many processes, and where it is 0 they are null. */
export type Measured = Partial<Record<Statistic, number | null>> & { known: number };

export interface MeasuredGroup {
  value: string | null;
  /** Of the second key, where there is one. */
  second?: string | null;
  count: number;
  numbers: Partial<Record<Measure, Measured>>;
}

export interface Groups {
  /** `by`: one key, or two with a comma between them. */
  meta: Meta & { at: number; by: string; total: number; groups: number };
  data: MeasuredGroup[];
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

/** A number over time: the least, the mean and the greatest that a minute of each step had. */
export interface Band {
  min: (number | null)[];
  avg: (number | null)[];
  max: (number | null)[];
  /** When the minute with the greatest begins. */
  max_at: (number | null)[];
}

export interface Trend {
  value: string | null;
  is_rest: boolean;
  count: Band;
  numbers: Partial<Record<Measure, Band>>;
}

export interface Trends {
  /** `instants`: a step is one instant, and its least, mean and greatest are the same. */
  meta: Meta & { from: number; to: number; step: number; instants: boolean; by: string | null };
  /** When each step begins. */
  times: number[];
  trends: Trend[];
}

/** How many processes began and ended in each step. */
export interface Turnover {
  meta: Meta & { from: number; to: number; step: number };
  /** When each step begins. */
  times: number[];
  starts: number[];
  /** That agents reported. */
  ends: number[];
  /** Of the ends those with an exit code other than 0. */
  failures: number[];
  /** The most frequent ones. */
  exit_codes: { exit_code: number; signal: string | null; ends: number[] }[];
}

export type HostState = "up" | "silent" | "shut down";

export interface SilentHost {
  host: string;
  seen_at: number;
  state: HostState;
  tags: string[];
}

export interface Host extends SilentHost {
  processes: number;
  /** Of its first process; null where no agent tells of that. */
  booted_at: number | null;
  /** Of the agent that posts now. */
  agent_version: string | null;
  numbers: AggregatedNumbers;
}

export interface Hosts {
  meta: Meta & {
    at: number;
    total: number;
    /** The oldest instant of which anything is kept. */
    oldest: number;
  };
  data: Host[];
  /** With `silent_hours`: those that tell nothing now. */
  silent?: SilentHost[];
}

export type ContainerNumber =
  | "cpu_total_percent"
  | "cpu_user_percent"
  | "cpu_system_percent"
  | "cpu_limit_percent"
  | "cpu_throttled_percent"
  | "net_received_bytes_per_second"
  | "net_sent_bytes_per_second"
  | "net_received_packets_per_second"
  | "net_sent_packets_per_second"
  | "read_bytes_per_second"
  | "write_bytes_per_second"
  | "memory_usage_bytes"
  | "memory_limit_bytes"
  | "memory_rss_bytes"
  | "memory_cache_bytes"
  | "threads"
  | "thread_limit"
  | "open_files"
  | "oom_kills";

export interface Container {
  type: "container";
  id: string;
  attributes: {
    host: string;
    /** Empty where it has none, as are the others. */
    name: string;
    runtime: string;
    image_name: string;
    image_tags: string[];
    image_digest: string;
    state: string;
    health: string;
    /** As the moments of processes. */
    created_at: string | null;
    started_at: string | null;
    timestamp: string;
    tags: string[];
    /** Null where none is known. */
    processes: number | null;
    numbers: Record<ContainerNumber, number | null>;
  };
}

export interface Containers {
  meta: { at: string; total: number; /** Whether any container was told of. */ known: boolean };
  data: Container[];
}

/** One container by steps of whole minutes. */
export interface ContainerCurves {
  meta: { from: string; to: string; step: number };
  times: string[];
  numbers: Partial<Record<ContainerNumber, (number | null)[]>>;
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
