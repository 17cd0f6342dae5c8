/** Two numbers of each process of the instant, as a dot; dots of a colour have the same command, or another tag. */

import { Button, Group, SegmentedControl, Text, useComputedColorScheme } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useCallback, useMemo, useState } from "react";

import type { OneProcess, Points } from "../api/types";
import { Legend } from "../charts/Legend";
import { formatMeasure, measureName, measureOf } from "../charts/measures";
import { useSlots } from "../charts/useSlots";
import { formatCount } from "../format/numbers";
import { brief } from "../format/text";
import { nameOf } from "../panel/names";
import { Answer } from "../parts/Answer";
import { ByPicker } from "../parts/ByPicker";
import { MeasurePicker } from "../parts/MeasurePicker";
import classes from "../parts/parts.module.css";
import { useAnswer } from "../parts/useAnswer";
import { useFilterBy } from "../parts/useFilterBy";
import { Empty } from "../shell/Empty";
import { NothingKnown } from "../shell/NothingKnown";
import { instantParams, useInstant } from "../state/instant";
import { useExtra, useView } from "../state/useView";
import { Greatest } from "./Greatest";
import { Plot } from "./Plot";
import { ranked, type Kind } from "./plot";
import own from "./scatter.module.css";

const LIMIT = 5000;
/** Of the groups with the most dots; the others share one colour. */
const COLORED = 10;

export function ScatterTab() {
  const [view, patch] = useView();
  const instant = useInstant();
  const [xText, setX] = useExtra("x", "cpu_total_percent");
  const [yText, setY] = useExtra("y", "rss_bytes");
  const [xKind, setXKind] = useKind("xscale");
  const [yKind, setYKind] = useKind("yscale");
  const x = measureName(xText, "cpu_total_percent");
  const y = measureName(yText, "rss_bytes");
  const query = useAnswer<Points>(
    "/points",
    { ...instantParams(view, instant), x, y, by: view.by, limit: LIMIT },
    { isMoving: instant.isLive },
  );
  return (
    <section className={classes.tab} aria-label="Scatter plot">
      <div className={classes.bar}>
        <MeasurePicker label="Across" value={x} onChange={(measure) => setX(measure)} />
        <KindPicker label="Axis across" value={xKind} onChange={setXKind} />
        <MeasurePicker label="Up" value={y} onChange={(measure) => setY(measure)} />
        <KindPicker label="Axis up" value={yKind} onChange={setYKind} />
        <ByPicker label="Colour by" value={view.by} onChange={(by) => patch({ by })} />
      </div>
      <Answer query={query} label="Placing dots" isMoving={instant.isLive}>
        {(found) =>
          !found.meta.known ? (
            <NothingKnown />
          ) : found.points.id.length === 0 ? (
            <Empty title="No process has both numbers">
              Choose other measures, or change the search, the tags or the time.
            </Empty>
          ) : (
            <Dots found={found} xKind={xKind} yKind={yKind} />
          )
        }
      </Answer>
    </section>
  );
}

function useKind(key: string): [Kind, (kind: Kind) => void] {
  const [text, set] = useExtra(key, "log");
  return [text === "linear" ? "linear" : "log", set];
}

function KindPicker({ label, value, onChange }: { label: string; value: Kind; onChange: (kind: Kind) => void }) {
  return (
    <SegmentedControl
      size="xs"
      aria-label={label}
      data={[
        { value: "linear", label: "Linear" },
        { value: "log", label: "Log" },
      ]}
      value={value}
      onChange={(kind) => onChange(kind === "linear" ? "linear" : "log")}
    />
  );
}

function Dots({ found, xKind, yKind }: { found: Points; xKind: Kind; yKind: Kind }) {
  const [, patch] = useView();
  const scheme = useComputedColorScheme("light");
  const [hovered, setHovered] = useState<number | null>(null);
  // By its id: in the next answer it may have another place.
  const [picked, setPicked] = useState<string | null>(null);
  const { id, group } = found.points;
  const by = found.meta.by ?? "";
  const filterBy = useFilterBy(by);

  const colored = useMemo(
    () =>
      ranked(found.groups, group)
        .slice(0, COLORED)
        .filter(({ dots }) => dots > 0),
    [found, group],
  );
  const values = useMemo(() => colored.map(({ at }) => found.groups[at] ?? ""), [colored, found]);
  const slots = useSlots(values);
  const slotOf = useCallback(
    (at: number | null) => (at === null ? null : (slots.get(found.groups[at] ?? "") ?? null)),
    [slots, found],
  );
  const entries = values.map((value, at) => ({
    key: value,
    label: value === "" ? "empty" : value,
    slot: slots.get(value) ?? null,
    isShown: true,
    value: formatCount(colored[at]?.dots),
  }));
  const colouredDots = colored.reduce((sum, { dots }) => sum + dots, 0);
  if (colouredDots < id.length) {
    entries.push({
      key: "\0rest",
      label: "All others",
      slot: null,
      isShown: true,
      value: formatCount(id.length - colouredDots),
    });
  }
  const pickedAt = picked === null ? -1 : id.indexOf(picked);
  const active = pickedAt >= 0 ? pickedAt : hovered !== null && hovered < id.length ? hovered : null;
  return (
    <>
      <p className={classes.note} role="status">
        {formatCount(id.length)} of {formatCount(found.meta.total)} processes
        {id.length < found.meta.total && `, those with the greatest ${measureOf(found.meta.x).label}`}. Click a dot to
        open or filter; a logarithmic axis has 0 at its edge.
      </p>
      <Plot
        found={found}
        xKind={xKind}
        yKind={yKind}
        scheme={scheme}
        slotOf={slotOf}
        active={active}
        onHover={setHovered}
        onPick={(dot) => setPicked(dot === null ? null : (id[dot] ?? null))}
      >
        {active !== null && (
          <Card
            found={found}
            dot={active}
            isPicked={pickedAt >= 0}
            onClose={() => setPicked(null)}
            onOpen={() => patch({ selected: id[active] ?? null })}
          />
        )}
      </Plot>
      <Legend
        entries={entries}
        scheme={scheme}
        says={(label) => `Filter by ${brief(`${by}:${label}`)}`}
        onToggle={(value) => {
          const filters = value === "\0rest" ? null : filterBy(value);
          if (filters !== null) patch(filters);
        }}
      />
      <Greatest found={found} onOpen={(process) => patch({ selected: process })} />
    </>
  );
}

interface CardProps {
  found: Points;
  dot: number;
  isPicked: boolean;
  onClose: () => void;
  onOpen: () => void;
}

/** What a dot is. Its name is asked for once the pointer rests. */
function Card({ found, dot, isPicked, onClose, onOpen }: CardProps) {
  const [, patch] = useView();
  const { id, x, y, group } = found.points;
  const [rested] = useDebouncedValue(id[dot] ?? "", 120);
  const one = useAnswer<OneProcess>(`/processes/${rested}`, { at: found.meta.at }, { isEnabled: rested !== "" });
  const process = one.data?.data.id === id[dot] ? one.data?.data.attributes : undefined;
  const [xInfo, yInfo] = [measureOf(found.meta.x), measureOf(found.meta.y)];
  const by = found.meta.by ?? "";
  const filterBy = useFilterBy(by);
  const at = group[dot] ?? null;
  const value = at === null ? null : (found.groups[at] ?? null);
  const [only, without] = [filterBy(value), filterBy(value, true)];
  const filter = (filters: NonNullable<typeof only>) => {
    onClose();
    patch(filters);
  };
  return (
    <>
      <Text size="sm" fw={600} className={own.line}>
        <bdi>{process === undefined ? brief(value ?? "…") : brief(nameOf(process))}</bdi>
      </Text>
      <Text size="xs" c="var(--ink-quiet)" className={own.line}>
        {process === undefined ? (
          one.isError ? (
            "It could not be read."
          ) : (
            "…"
          )
        ) : (
          <>
            pid {process.pid} of <bdi>{brief(process.user)}</bdi> on <bdi>{brief(process.host)}</bdi>
          </>
        )}
      </Text>
      <Text size="xs" className={own.line}>
        {xInfo.label} {formatMeasure(x[dot], xInfo.unit)}, {yInfo.label} {formatMeasure(y[dot], yInfo.unit)}
      </Text>
      {by !== "command" && (
        <Text size="xs" className={own.line}>
          <bdi>{value === null ? `without ${by}` : brief(`${by}:${value}`)}</bdi>
        </Text>
      )}
      {isPicked && (
        <Group gap={4} mt={6}>
          <Button size="compact-xs" onClick={onOpen}>
            Open
          </Button>
          {only !== null && (
            <Button size="compact-xs" variant="default" onClick={() => filter(only)}>
              Filter
            </Button>
          )}
          {without !== null && (
            <Button size="compact-xs" variant="default" onClick={() => filter(without)}>
              Exclude
            </Button>
          )}
          <Button size="compact-xs" variant="subtle" color="gray" onClick={onClose}>
            Close
          </Button>
        </Group>
      )}
    </>
  );
}
