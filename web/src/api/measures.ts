/** The numbers of a process: what the API calls them, what people call them, and their units. The only list of them. */

export type Unit = "percent" | "cores" | "bytes" | "bytes/s" | "count" | "count/s";

interface Declaration {
  readonly name: string;
  readonly label: string;
  readonly unit: Unit;
  /** Its column in the table of processes: a shorter label, and pixels. */
  readonly column: readonly [heading: string, width: number];
}

const DECLARED = [
  { name: "cpu_total_percent", label: "CPU", unit: "percent", column: ["CPU", 92] },
  { name: "cpu_user_percent", label: "CPU, user", unit: "percent", column: ["CPU user", 92] },
  { name: "cpu_system_percent", label: "CPU, system", unit: "percent", column: ["CPU system", 100] },
  { name: "rss_bytes", label: "Memory (RSS)", unit: "bytes", column: ["Memory", 92] },
  { name: "vms_bytes", label: "Virtual memory", unit: "bytes", column: ["Virtual", 92] },
  { name: "shared_bytes", label: "Shared memory", unit: "bytes", column: ["Shared", 92] },
  { name: "swap_bytes", label: "Swap", unit: "bytes", column: ["Swap", 92] },
  { name: "threads", label: "Threads", unit: "count", column: ["Threads", 82] },
  { name: "open_files", label: "Open files", unit: "count", column: ["Open files", 92] },
  { name: "read_bytes_per_second", label: "Read", unit: "bytes/s", column: ["Read", 100] },
  { name: "write_bytes_per_second", label: "Written", unit: "bytes/s", column: ["Written", 100] },
  { name: "read_operations_per_second", label: "Read ops/s", unit: "count/s", column: ["Read ops/s", 100] },
  { name: "write_operations_per_second", label: "Write ops/s", unit: "count/s", column: ["Write ops/s", 100] },
  { name: "voluntary_switches", label: "Voluntary switches (total)", unit: "count", column: ["Voluntary switches (total)", 190] },
  { name: "involuntary_switches", label: "Involuntary switches (total)", unit: "count", column: ["Involuntary switches (total)", 200] },
  { name: "net_received_bytes_per_second", label: "Received (TCP)", unit: "bytes/s", column: ["Received", 100] },
  { name: "net_sent_bytes_per_second", label: "Sent (TCP)", unit: "bytes/s", column: ["Sent", 100] },
  { name: "connections", label: "TCP connections", unit: "count", column: ["Connections", 100] },
  { name: "net_bytes_per_second", label: "Network", unit: "bytes/s", column: ["Network", 100] },
  { name: "net_connections_per_second", label: "Connections/s", unit: "count/s", column: ["Connections/s", 110] },
] as const satisfies readonly Declaration[];

/** The name of a number. */
export type Measure = (typeof DECLARED)[number]["name"];

export interface MeasureInfo extends Declaration {
  readonly name: Measure;
}

/** What is told of a measure over several processes; docs/api.md defines each. */
export const STATISTICS = ["sum", "avg", "p50", "p95", "max"] as const;
export type Statistic = (typeof STATISTICS)[number];

export const MEASURES: readonly MeasureInfo[] = DECLARED;
