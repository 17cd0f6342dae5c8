import type { Measure } from "../api/measures";
import { useExtra } from "../state/useView";
import { measureName } from "../ui/format/measures";

export interface GraphOptions {
  /** One series for each of the top groups, and not one in total. */
  isGrouped: boolean;
  isStacked: boolean;
  /** How many groups have a series of their own. */
  limit: number;
  /** By what the top groups are chosen. */
  rank: Measure | "count";
  set: (option: "graphs" | "graphstyle" | "top" | "rank", value: string | null) => void;
}

/** What the address says of the graphs. */
export function useGraphOptions(): GraphOptions {
  const [mode, setMode] = useExtra("graphs", "top");
  const [style, setStyle] = useExtra("graphstyle", "stacked");
  const [top, setTop] = useExtra("top", "5");
  const [rank, setRank] = useExtra("rank", "cpu_total_percent");
  const setters = { graphs: setMode, graphstyle: setStyle, top: setTop, rank: setRank };
  return {
    isGrouped: mode !== "total",
    isStacked: style !== "lines",
    limit: ["5", "10", "20"].includes(top) ? Number(top) : 5,
    rank: rank === "count" ? "count" : measureName(rank, "cpu_total_percent"),
    set: (option, value) => setters[option](value),
  };
}
