/** Two numbers of each process of the instant, as a point; points of a colour have the same command, or another tag. */

import { SegmentedControl } from "@mantine/core";

import type { Points } from "../api/types";
import { GroupByPicker } from "../state/grouping/GroupByPicker";
import { followsNow, instantParams, useInstant } from "../state/instant";
import { useExtra, useView } from "../state/useView";
import { measureName } from "../ui/format/measures";
import { QueryResult } from "../ui/parts/QueryResult";
import { EmptyState } from "../ui/parts/EmptyState";
import { MeasurePicker } from "../ui/parts/MeasurePicker";
import { NoData } from "../ui/parts/NoData";
import shared from "../ui/parts/parts.module.css";
import { useApiQuery } from "../ui/parts/useApiQuery";
import { ScatterPlot } from "./ScatterPlot";
import type { ScaleType } from "./scales";

const LIMIT = 5000;

export function ScatterTab() {
  const [view, patch] = useView();
  const instant = useInstant();
  const [xText, setX] = useExtra("x", "cpu_total_percent");
  const [yText, setY] = useExtra("y", "rss_bytes");
  const [xScale, setXScale] = useScaleType("xscale");
  const [yScale, setYScale] = useScaleType("yscale");
  const x = measureName(xText, "cpu_total_percent");
  const y = measureName(yText, "rss_bytes");
  const query = useApiQuery<Points>(
    "/points",
    { ...instantParams(view, instant), x, y, by: view.by, limit: LIMIT },
    { isMoving: instant.isLive },
  );
  return (
    <section className={shared.tab} aria-label="Scatter plot">
      <div className={shared.bar}>
        <MeasurePicker label="X axis" value={x} onChange={(measure) => setX(measure)} />
        <ScalePicker label="Scale of the X axis" value={xScale} onChange={setXScale} />
        <MeasurePicker label="Y axis" value={y} onChange={(measure) => setY(measure)} />
        <ScalePicker label="Scale of the Y axis" value={yScale} onChange={setYScale} />
        <GroupByPicker label="Colour by" value={view.by} onChange={(by) => patch({ by })} />
      </div>
      <QueryResult query={query} label="Loading points" isMoving={instant.isLive}>
        {(found) =>
          !found.meta.known ? (
            <NoData isNow={followsNow(view.time)} />
          ) : found.points.id.length === 0 ? (
            <EmptyState title="No process has both measures">
              Choose other measures, or change the search, the tags or the time.
            </EmptyState>
          ) : (
            <ScatterPlot found={found} xScale={xScale} yScale={yScale} />
          )
        }
      </QueryResult>
    </section>
  );
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
