/** The values of a monitor over the last hours with its thresholds on them, and when it would have fired. */

import { Button, SegmentedControl } from "@mantine/core";
import { useMemo, useState } from "react";

import type { Backtest, MonitorBody, QueryParts, Transition } from "../../api/monitors";
import { TimeChart, type ChartSeries } from "../../ui/charts/TimeChart";
import type { Threshold } from "../../ui/charts/useUplot";
import { formatDuration } from "../../ui/format/numbers";
import { brief } from "../../ui/format/text";
import { formatDateTime } from "../../ui/format/times";
import { EmptyState } from "../../ui/parts/EmptyState";
import shared from "../../ui/parts/parts.module.css";
import { QueryResult } from "../../ui/parts/QueryResult";
import classes from "../monitors.module.css";
import { instantView } from "../shared/transitionView";
import { formatValue, groupLabel, unitOf } from "../shared/values";
import { ViewLink } from "../../state/links/ViewLink";
import { useBacktest } from "./useBacktest";

const HOURS = [
  { value: "1", label: "1 hour" },
  { value: "6", label: "6 hours" },
  { value: "24", label: "1 day" },
  { value: "168", label: "7 days" },
];
const FIRST = 20;

interface BacktestPreviewProps {
  monitor: MonitorBody;
  query: QueryParts | undefined;
}

export function BacktestPreview({ monitor, query }: BacktestPreviewProps) {
  const [hours, setHours] = useState("1");
  const backtest = useBacktest(monitor, Number(hours));
  const thresholds = useMemo(() => thresholdLines(monitor, query), [monitor, query]);
  return (
    <>
      <SegmentedControl size="xs" aria-label="How far back" data={HOURS} value={hours} onChange={setHours} w="fit-content" />
      <QueryResult query={backtest} label="Running it over the past">
        {(found) => (
          <>
            <Values found={found} query={query} thresholds={thresholds} />
            <Fired found={found} query={query} />
          </>
        )}
      </QueryResult>
    </>
  );
}

function thresholdLines({ options }: MonitorBody, query: QueryParts | undefined): Threshold[] {
  const { critical = query?.threshold, warning } = options.thresholds ?? {};
  const lines: Threshold[] = [];
  if (typeof critical === "number" && Number.isFinite(critical)) lines.push({ value: critical, level: "critical" });
  if (typeof warning === "number") lines.push({ value: warning, level: "warning" });
  return lines;
}

interface ValuesProps {
  found: Backtest;
  query: QueryParts | undefined;
  thresholds: readonly Threshold[];
}

function Values({ found, query, thresholds }: ValuesProps) {
  const unit = unitOf(query);
  const series = useMemo(
    () =>
      found.curves.map((one, index): ChartSeries => ({
        key: one.group,
        label: groupLabel(one.group),
        colorIndex: index,
        values: one.values,
      })),
    [found],
  );
  if (series.length === 0) {
    return <EmptyState title="No value in this time">No process of this search was seen, or nothing is known of the time.</EmptyState>;
  }
  return (
    <>
      <TimeChart
        title="Value"
        unit={unit}
        times={found.times}
        series={series}
        from={found.from}
        to={found.to}
        step={found.step_seconds}
        thresholds={thresholds}
        height={220}
      />
      <p className={shared.note}>
        {thresholds.map(({ value, level }) => `${level === "critical" ? "Alert" : "Warning"} line: ${formatValue(value, query)}. `)}
        One point every {formatDuration(found.step_seconds)}.
        {series.length === 20 && " Only the 20 groups are drawn that alerted or came nearest to it."}
      </p>
    </>
  );
}

function Fired({ found, query }: { found: Backtest; query: QueryParts | undefined }) {
  const [isLong, setIsLong] = useState(false);
  const alerts = found.transitions.filter((one) => one.state === "Alert" && one.kind === "triggered");
  const warnings = found.transitions.filter((one) => one.state === "Warn" && one.kind === "triggered").length;
  const shown = isLong ? alerts : alerts.slice(0, FIRST);
  return (
    <div aria-label="Back-test" role="group">
      <p className={shared.note} role="status">
        {firedText(alerts.length)}
        {warnings > 0 && ` And ${warnings === 1 ? "one warning" : `${warnings} warnings`}.`}
        {found.step_seconds > 60 && ` What begins and ends within ${formatDuration(found.step_seconds)} is not in it.`}
      </p>
      {shown.length > 0 && (
        <ul className={classes.fired}>
          {shown.map((one) => (
            <Alert key={`${one.at} ${one.group}`} one={one} query={query} />
          ))}
        </ul>
      )}
      {alerts.length > shown.length && (
        <Button size="compact-xs" variant="subtle" onClick={() => setIsLong(true)}>
          Show all {alerts.length}
        </Button>
      )}
    </div>
  );
}

export function firedText(count: number): string {
  if (count === 0) return "It would not have fired in this time.";
  return `It would have fired ${count === 1 ? "once" : `${count} times`}:`;
}

function Alert({ one, query }: { one: Transition; query: QueryParts | undefined }) {
  return (
    <li>
      <ViewLink to={instantView(query, one)} isApart label={`Show the table at ${formatDateTime(one.at)}`}>
        {formatDateTime(one.at)}
      </ViewLink>{" "}
      <bdi>{brief(groupLabel(one.group), 200)}</bdi>: {formatValue(one.value, query)}
      {one.reason !== "" && `, ${brief(one.reason, 100)}`}
    </li>
  );
}
