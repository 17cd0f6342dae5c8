/** The processes of the instant, or groups of them, as dots; dots of a colour have the same command, or another tag. */

import { SegmentedControl, Select } from "@mantine/core";

import { STATISTICS, type Measure, type Statistic } from "../api/measures";
import type { Groups, Points } from "../api/types";
import { GroupByPicker } from "../state/grouping/GroupByPicker";
import { followsNow, instantParams, useInstant } from "../state/instant";
import { useExtra, useView } from "../state/useView";
import { measureName, STATISTIC_CHOICES } from "../ui/format/measures";
import { QueryResult } from "../ui/parts/QueryResult";
import { EmptyState } from "../ui/parts/EmptyState";
import { MeasurePicker } from "../ui/parts/MeasurePicker";
import { NoData } from "../ui/parts/NoData";
import shared from "../ui/parts/parts.module.css";
import { useApiQuery } from "../ui/parts/useApiQuery";
import { GroupPlot } from "./GroupPlot";
import { ScatterPlot } from "./ScatterPlot";
import type { ScaleType } from "./scales";

const LIMIT = 5000;
const MAX_GROUPS = 1000;

export function ScatterTab() {
  const [view, patch] = useView();
  const [xText, setX] = useExtra("x", "cpu_total_percent");
  const [yText, setY] = useExtra("y", "rss_bytes");
  const [xScale, setXScale] = useScaleType("xscale");
  const [yScale, setYScale] = useScaleType("yscale");
  const [dots, setDots] = useExtra("dots", "processes");
  const [statisticText, setStatistic] = useExtra("dotstatistic", "sum");
  const statistic = STATISTICS.find((one) => one === statisticText) ?? "sum";
  const areGroups = dots === "groups";
  const plot = {
    x: measureName(xText, "cpu_total_percent"),
    y: measureName(yText, "rss_bytes"),
    xScale,
    yScale,
  };
  return (
    <section className={shared.tab} aria-label="Scatter plot">
      <div className={shared.bar}>
        <SegmentedControl
          size="xs"
          aria-label="Dots"
          data={[
            { value: "processes", label: "Processes" },
            { value: "groups", label: "Groups" },
          ]}
          value={areGroups ? "groups" : "processes"}
          onChange={setDots}
        />
        <MeasurePicker label="X axis" value={plot.x} onChange={(measure) => setX(measure)} />
        <ScalePicker label="Scale of the X axis" value={xScale} onChange={setXScale} />
        <MeasurePicker label="Y axis" value={plot.y} onChange={(measure) => setY(measure)} />
        <ScalePicker label="Scale of the Y axis" value={yScale} onChange={setYScale} />
        <GroupByPicker
          label={areGroups ? "Group by" : "Colour by"}
          value={view.by}
          onChange={(by) => patch({ by })}
        />
        {areGroups && (
          <Select
            label="Statistic"
            size="xs"
            w={150}
            data={STATISTIC_CHOICES}
            value={statistic}
            allowDeselect={false}
            onChange={(chosen) => setStatistic(chosen)}
          />
        )}
      </div>
      {areGroups ? <GroupDots statistic={statistic} {...plot} /> : <ProcessDots {...plot} />}
    </section>
  );
}

interface PlotProps {
  x: Measure;
  y: Measure;
  xScale: ScaleType;
  yScale: ScaleType;
}

function ProcessDots({ x, y, xScale, yScale }: PlotProps) {
  const [view] = useView();
  const instant = useInstant();
  const query = useApiQuery<Points>(
    "/points",
    { ...instantParams(view, instant), x, y, by: view.by, limit: LIMIT },
    { isMoving: instant.isLive },
  );
  return (
    <QueryResult query={query} label="Loading points" isMoving={instant.isLive}>
      {(found) =>
        !found.meta.known ? (
          <NoData isNow={followsNow(view.time)} />
        ) : found.points.id.length === 0 ? (
          <NoDots title="No process has both measures" />
        ) : (
          <ScatterPlot found={found} xScale={xScale} yScale={yScale} />
        )
      }
    </QueryResult>
  );
}

function GroupDots({ x, y, statistic, ...scales }: PlotProps & { statistic: Statistic }) {
  const [view] = useView();
  const instant = useInstant();
  const by = view.by.split(",")[0] ?? "";
  const measures = [...new Set([x, y])].join(",");
  const query = useApiQuery<Groups>(
    "/groups",
    { ...instantParams(view, instant), by, measures, statistics: statistic, limit: MAX_GROUPS },
    { isMoving: instant.isLive },
  );
  return (
    <QueryResult query={query} label="Counting groups" isMoving={instant.isLive}>
      {(found) =>
        !found.meta.known ? (
          <NoData isNow={followsNow(view.time)} />
        ) : found.data.length === 0 ? (
          <NoDots title="No process matches" />
        ) : (
          <GroupPlot found={found} x={x} y={y} statistic={statistic} {...scales} />
        )
      }
    </QueryResult>
  );
}

function NoDots({ title }: { title: string }) {
  return <EmptyState title={title}>Choose other measures, or change the search, the tags or the time.</EmptyState>;
}

function useScaleType(key: string): [ScaleType, (type: ScaleType) => void] {
  const [text, set] = useExtra(key, "log");
  return [text === "linear" ? "linear" : "log", set];
}

function ScalePicker({ label, value, onChange }: { label: string; value: ScaleType; onChange: (type: ScaleType) => void }) {
  return (
    <SegmentedControl
      size="xs"
      aria-label={label}
      data={[
        { value: "linear", label: "Linear" },
        { value: "log", label: "Log" },
      ]}
      value={value}
      onChange={(type) => onChange(type === "linear" ? "linear" : "log")}
    />
  );
}
