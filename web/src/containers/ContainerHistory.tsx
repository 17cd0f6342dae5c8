import { Button, Text } from "@mantine/core";
import { useEffect, useMemo, useRef } from "react";

import type { Unit } from "../api/measures";
import type { Container, ContainerCurves, ContainerNumber } from "../api/types";
import { useInstant, type Instant } from "../state/instant";
import { useView } from "../state/useView";
import type { ViewState } from "../state/view";
import { TimeChart, type ChartSeries } from "../ui/charts/TimeChart";
import { brief } from "../ui/format/text";
import { secondsOf } from "../ui/format/times";
import { EmptyState } from "../ui/parts/EmptyState";
import { QueryResult } from "../ui/parts/QueryResult";
import shared from "../ui/parts/parts.module.css";
import { useApiQuery } from "../ui/parts/useApiQuery";
import classes from "./containers.module.css";
import { nameOf } from "./nameOf";

interface Curve {
  title: string;
  unit: Unit;
  lines: readonly (readonly [name: ContainerNumber, label: string])[];
}

const CURVES: readonly Curve[] = [
  {
    title: "CPU of the container",
    unit: "percent",
    lines: [
      ["cpu_total_percent", "Total"],
      ["cpu_user_percent", "User"],
      ["cpu_system_percent", "System"],
      ["cpu_limit_percent", "Limit"],
    ],
  },
  { title: "Throttled", unit: "percent", lines: [["cpu_throttled_percent", "Of its periods"]] },
  {
    title: "Memory of the container",
    unit: "bytes",
    lines: [
      ["memory_usage_bytes", "Usage"],
      ["memory_rss_bytes", "RSS"],
      ["memory_cache_bytes", "Cache"],
      ["memory_limit_bytes", "Limit"],
    ],
  },
  { title: "OOM kills since its start", unit: "count", lines: [["oom_kills", "OOM kills"]] },
  {
    title: "Network",
    unit: "bytes/s",
    lines: [
      ["net_received_bytes_per_second", "Received"],
      ["net_sent_bytes_per_second", "Sent"],
    ],
  },
  {
    title: "I/O",
    unit: "bytes/s",
    lines: [
      ["read_bytes_per_second", "Read"],
      ["write_bytes_per_second", "Written"],
    ],
  },
  {
    title: "Threads",
    unit: "count",
    lines: [
      ["threads", "Threads"],
      ["thread_limit", "Limit"],
    ],
  },
];

const MINUTE = 60;
const LEAST_SECONDS = 3600;
const MOST_SECONDS = 31 * 86_400;

interface ContainerHistoryProps {
  id: string;
  host: string;
  /** Of the list; undefined where it is not there at the instant. */
  found: Container | undefined;
  onClose: () => void;
}

export function ContainerHistory({ id, host, found, onClose }: ContainerHistoryProps) {
  const [view, patch] = useView();
  const instant = useInstant();
  const box = useRef<HTMLElement>(null);
  const window = windowOfCurves(view, instant);
  const query = useApiQuery<ContainerCurves>(
    "/containers/history",
    { host, container_id: id, ...window },
    { isMoving: instant.isLive },
  );
  // It is above the table, in which somebody may have gone far down.
  useEffect(() => box.current?.scrollIntoView({ block: "nearest" }), []);
  return (
    <section ref={box} className={shared.answer} aria-label="Container over time">
      <div className={shared.bar}>
        <Text component="h2" size="md" fw={600} className={shared.grow}>
          <bdi>{brief(found === undefined ? id : nameOf(found), 100)}</bdi> on <bdi>{brief(host, 100)}</bdi>
        </Text>
        <Button size="xs" variant="default" onClick={onClose}>
          Close
        </Button>
      </div>
      <QueryResult query={query} label="Loading the container over time" isMoving={instant.isLive}>
        {(curves) => (
          <Curves
            curves={curves}
            from={window.from}
            to={window.to}
            onZoom={(from, to) => patch({ time: { mode: "range", from, to } })}
          />
        )}
      </QueryResult>
    </section>
  );
}

/** The window of the page. Around an instant, or a short time before now, it is an hour: a row is a minute. */
function windowOfCurves(view: ViewState, { at, window, isLive }: Instant): { from: number; to: number } {
  if (view.time.mode === "range") return { from: Math.max(window.from, window.to - MOST_SECONDS), to: window.to };
  const to = isLive ? at - (at % MINUTE) : window.to;
  const seconds = Math.min(Math.max(window.to - window.from, LEAST_SECONDS), MOST_SECONDS);
  return { from: to - seconds, to };
}

interface CurvesProps {
  curves: ContainerCurves;
  from: number;
  to: number;
  onZoom: (from: number, to: number) => void;
}

function Curves({ curves, from, to, onZoom }: CurvesProps) {
  const shown = useMemo(
    () =>
      CURVES.flatMap((curve) => {
        const series = curve.lines.flatMap(([name, label], colorIndex): ChartSeries[] => {
          const values = curves.numbers[name] ?? [];
          return values.some((value) => value !== null) ? [{ key: name, label, colorIndex, values }] : [];
        });
        return series.length === 0 ? [] : [{ curve, series }];
      }),
    [curves],
  );
  const times = useMemo(() => curves.times.map(secondsOf), [curves]);
  if (shown.length === 0) {
    return <EmptyState title="Nothing is known of it in this window">Choose a longer window, or another time.</EmptyState>;
  }
  return (
    <>
      <div className={classes.curves}>
        {shown.map(({ curve, series }) => (
          <TimeChart
            key={curve.title}
            title={curve.title}
            unit={curve.unit}
            times={times}
            series={series}
            from={from}
            to={to}
            step={curves.meta.step}
            sync="container"
            height={110}
            onZoom={onZoom}
          />
        ))}
      </div>
      <p className={shared.note}>A point is the mean of {curves.meta.step / MINUTE} min. Drag across a curve to zoom the page in.</p>
    </>
  );
}
