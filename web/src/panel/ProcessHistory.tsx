import { Button, Group, Select } from "@mantine/core";
import { useMemo } from "react";

import { ApiError } from "../api/client";
import type { History } from "../api/types";
import type { Unit } from "../charts/measures";
import { usualStep } from "../charts/series";
import { TimeChart, type ChartSeries } from "../charts/TimeChart";
import { Answer } from "../parts/Answer";
import shared from "../parts/parts.module.css";
import { useAnswer } from "../parts/useAnswer";
import { Empty } from "../shell/Empty";
import { useInstant } from "../state/instant";
import { useExtra } from "../state/useView";
import classes from "./panel.module.css";
import { everyOf, PRESETS, rangeOf } from "./ranges";

/** Between two snapshots, unless an agent is told otherwise; while somebody watches they come faster. */
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
      ["cpu_total_percent_max", "Greatest in the minute"],
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

/** `lastSeen`: when the process is not there any more. */
export function ProcessHistory({ id, lastSeen }: { id: string; lastSeen: number | null }) {
  const instant = useInstant();
  const [range, setRange] = useExtra("span", "view");
  const window = rangeOf(range, instant.window, lastSeen);
  const every = everyOf(window);
  const asked = useAnswer<History>(`/processes/${id}/history`, { ...window, every }, { isMoving: instant.isLive });
  // Sightings are kept for a shorter time than minutes.
  const isTooOld = every === "sighting" && asked.error instanceof ApiError && asked.error.status === 400;
  const byMinute = useAnswer<History>(
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
          data={isPreset ? PRESETS : [...PRESETS, { value: range, label: "As dragged" }]}
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
      <Answer query={query} label="Reading its history" isMoving={instant.isLive}>
        {(found) => <Curves found={found} onZoom={(from, to) => setRange(`${from}-${to}`)} />}
      </Answer>
    </>
  );
}

function Curves({ found, onZoom }: { found: History; onZoom: (from: number, to: number) => void }) {
  const curves = useMemo(
    () =>
      CURVES.map((curve) => ({
        curve,
        series: curve.lines.flatMap(([name, label], slot): ChartSeries[] => {
          const values = (found.numbers[name] ?? []) as (number | null)[];
          const isKnown = values.some((value) => value !== null);
          return isKnown ? [{ key: name, label, slot, values }] : [];
        }),
      })),
    [found],
  );
  if (found.times.length === 0) {
    return <Empty title="It was not seen in this time">Choose a longer range, or another time above.</Empty>;
  }
  const { from, to, every } = found.meta;
  return (
    <div className={classes.curves}>
      {curves.map(({ curve, series }) =>
        series.length === 0 ? (
          <p key={curve.title} className={shared.note}>
            {curve.title}: not known. The agent may not read it without more rights, or does not send it.
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
            step={every === "minute" ? 60 : Math.max(SNAPSHOT_SECONDS, usualStep(found.times))}
            sync="panel"
            height={120}
            onZoom={onZoom}
          />
        ),
      )}
      <p className={shared.note}>
        {every === "minute"
          ? "By the minute: CPU and I/O are means, the others the greatest of each minute."
          : "Each sighting."}{" "}
        Drag over a curve to look closer.
      </p>
    </div>
  );
}
