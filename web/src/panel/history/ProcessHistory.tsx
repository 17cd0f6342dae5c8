import { Button, Group, Select } from "@mantine/core";
import { useMemo } from "react";

import { ApiError } from "../../api/client";
import type { Unit } from "../../api/measures";
import type { History } from "../../api/types";
import { useInstant } from "../../state/instant";
import { useExtra } from "../../state/useView";
import { medianStep } from "../../ui/charts/series";
import { TimeChart, type ChartSeries } from "../../ui/charts/TimeChart";
import { QueryResult } from "../../ui/parts/QueryResult";
import { EmptyState } from "../../ui/parts/EmptyState";
import shared from "../../ui/parts/parts.module.css";
import { useApiQuery } from "../../ui/parts/useApiQuery";
import classes from "./history.module.css";
import { resolutionOf, PRESETS, rangeOf } from "./historyRange";

/** Seconds between two snapshots, unless an agent is set otherwise; they come faster while somebody watches. */
const SNAPSHOT_SECONDS = 10;

interface Curve {
  title: string;
  unit: Unit;
  lines: readonly (readonly [name: keyof History["numbers"], label: string])[];
}

const CURVES: readonly Curve[] = [
  {
    title: "CPU",
    unit: "percent",
    lines: [
      ["cpu_total_percent", "Total"],
      ["cpu_user_percent", "User"],
      ["cpu_system_percent", "System"],
      ["cpu_total_percent_max", "Maximum in the minute"],
    ],
  },
  {
    title: "Memory",
    unit: "bytes",
    lines: [
      ["rss_bytes", "RSS"],
      ["shared_bytes", "Shared"],
      ["swap_bytes", "Swap"],
    ],
  },
  { title: "Threads", unit: "count", lines: [["threads", "Threads"]] },
  { title: "Open files", unit: "count", lines: [["open_files", "Open files"]] },
  {
    title: "I/O",
    unit: "bytes/s",
    lines: [
      ["read_bytes_per_second", "Read"],
      ["write_bytes_per_second", "Written"],
    ],
  },
];

/** `lastSeen` is for a process that has ended: its last moment. */
export function ProcessHistory({ id, lastSeen }: { id: string; lastSeen: number | null }) {
  const instant = useInstant();
  const [range, setRange] = useExtra("span", "view");
  const window = rangeOf(range, instant.window, lastSeen);
  const every = resolutionOf(window);
  const asked = useApiQuery<History>(`/processes/${id}/history`, { ...window, every }, { isMoving: instant.isLive });
  // Sightings are kept for a shorter time than minutes.
  const isTooOld = every === "sighting" && asked.error instanceof ApiError && asked.error.status === 400;
  const byMinute = useApiQuery<History>(
    `/processes/${id}/history`,
    { ...window, every: "minute" },
    { isEnabled: isTooOld },
  );
  const query = isTooOld ? byMinute : asked;
  const isPreset = PRESETS.some((preset) => preset.value === range);
  return (
    <>
      <Group gap="xs" align="flex-end" mb="xs">
        <Select
          label="Range"
          size="xs"
          w={150}
          data={isPreset ? PRESETS : [...PRESETS, { value: range, label: "Zoomed" }]}
          value={range}
          allowDeselect={false}
          onChange={(value) => setRange(value)}
        />
        {!isPreset && (
          <Button size="xs" variant="default" onClick={() => setRange(null)}>
            Zoom out
          </Button>
        )}
      </Group>
      <QueryResult query={query} label="Loading the history" isMoving={instant.isLive}>
        {(found) => <Curves found={found} onZoom={(from, to) => setRange(`${from}-${to}`)} />}
      </QueryResult>
    </>
  );
}

function Curves({ found, onZoom }: { found: History; onZoom: (from: number, to: number) => void }) {
  const curves = useMemo(
    () =>
      CURVES.map((curve) => ({
        curve,
        series: curve.lines.flatMap(([name, label], colorIndex): ChartSeries[] => {
          const values = (found.numbers[name] ?? []) as (number | null)[];
          const isKnown = values.some((value) => value !== null);
          return isKnown ? [{ key: name, label, colorIndex, values }] : [];
        }),
      })),
    [found],
  );
  if (found.times.length === 0) {
    return <EmptyState title="Not seen in this window">Choose a longer range, or another time.</EmptyState>;
  }
  const { from, to, every } = found.meta;
  return (
    <div className={classes.curves}>
      {curves.map(({ curve, series }) =>
        series.length === 0 ? (
          <p key={curve.title} className={shared.note}>
            {curve.title}: no data. The agent needs more rights to read it, or does not send it.
          </p>
        ) : (
          <TimeChart
            key={curve.title}
            title={curve.title}
            unit={curve.unit}
            times={found.times}
            series={series}
            from={from}
            to={to}
            step={every === "minute" ? 60 : Math.max(SNAPSHOT_SECONDS, medianStep(found.times))}
            sync="panel"
            height={120}
            onZoom={onZoom}
          />
        ),
      )}
      <p className={shared.note}>
        {every === "minute"
          ? "One point a minute: the mean of CPU and I/O, the maximum of the others."
          : "One point for each sighting."}{" "}
        Drag across a curve to zoom in.
      </p>
    </div>
  );
}
