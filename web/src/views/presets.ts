/** Views that almost everybody wants, before any is saved: filters, an order and columns; the time stays as it is. */

import { DEFAULT_COLUMNS, DEFAULT_VIEW, type ViewState } from "../state/view";

export interface Preset {
  label: string;
  view: Pick<ViewState, "search" | "tags" | "sort" | "columns">;
}

const BASE = ["command", "cpu_total_percent", "rss_bytes"];
const PLACE = ["user", "pid", "host", "start"];

function preset(label: string, view: Partial<Preset["view"]>): Preset {
  const { search, tags, sort } = DEFAULT_VIEW;
  return { label, view: { search, tags, sort, columns: DEFAULT_COLUMNS, ...view } };
}

export const PRESETS: readonly Preset[] = [
  preset("nginx", { tags: ["command:nginx"], columns: [...BASE, "open_files", "threads", ...PLACE, "tags"] }),
  preset("Postgres", {
    tags: ["command:postgres OR command:postmaster"],
    columns: [...BASE, "read_bytes_per_second", "write_bytes_per_second", "cmdline", ...PLACE],
  }),
  preset("Redis", {
    tags: ["command:redis* OR command:valkey*"],
    sort: "-rss_bytes",
    columns: [...BASE, "swap_bytes", "open_files", ...PLACE, "tags"],
  }),
  preset("Kafka", {
    search: "kafka.Kafka",
    tags: ["command:java"],
    columns: [...BASE, "read_bytes_per_second", "write_bytes_per_second", "open_files", ...PLACE],
  }),
  preset("Java", { tags: ["command:java"], sort: "-rss_bytes", columns: [...BASE, "threads", "cmdline", ...PLACE] }),
  preset("Containers", {
    tags: ["container_id:* OR container_name:*"],
    columns: [...BASE, "container", "tag:image_name", ...PLACE],
  }),
  preset("Zombies", { tags: ["state_zombie:true"], sort: "start", columns: ["command", "state", "ppid", ...PLACE] }),
  preset("New in the last hour", {
    search: "age<1h",
    sort: "-start",
    columns: ["command", "start", "user", "pid", "host", "cmdline"],
  }),
  preset("Biggest memory", {
    sort: "-rss_bytes",
    columns: ["command", "rss_bytes", "shared_bytes", "swap_bytes", "vms_bytes", ...PLACE],
  }),
];
