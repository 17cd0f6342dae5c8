/** A strip over the slider: how many processes there were, began and ended, and where nothing is known. */

import { useRef, useState, type PointerEvent } from "react";

import { formatCount } from "../ui/format/numbers";
import { formatDateTime } from "../ui/format/times";
import { nearest, type DataStep } from "./dataSteps";
import classes from "./DataStrip.module.css";

/** A drag that is shorter is a click. */
const DRAG_PIXELS = 6;

interface DataStripProps {
  /** null: not known yet, or too much to count. Its place is kept, so that nothing below it moves. */
  steps: readonly DataStep[] | null;
  from: number;
  to: number;
  /** The instant that is shown. */
  at: number;
  onTravel: (at: number) => void;
  onWindow: (from: number, to: number) => void;
}

export function DataStrip({ steps, ...props }: DataStripProps) {
  return steps === null ? <div className={classes.strip} data-empty /> : <Strip steps={steps} {...props} />;
}

type StripProps = DataStripProps & { steps: readonly DataStep[] };

/** A click travels, a drag sets the window. The slider below does the same for keys. */
function Strip({ steps, from, to, at, onTravel, onWindow }: StripProps) {
  const { drag, hovered, handlers } = useDrag(from, to, onTravel, onWindow);
  const most = Math.max(1, ...steps.map(({ count }) => count ?? 0));
  const mostChanges = Math.max(1, ...steps.map(({ starts, ends }) => Math.max(starts, ends)));
  const place = (moment: number) => (100 * (moment - from)) / (to - from);
  const step = hovered === null ? undefined : nearest(steps, hovered);
  return (
    <div
      className={classes.strip}
      role="img"
      aria-label={described(steps)}
      title={step && `${formatDateTime(step.at)}: ${inWords(step)}`}
      {...handlers}
    >
      {steps.map((one) => (
        <span
          key={one.at}
          className={classes.step}
          data-gap={one.count === null || undefined}
          style={{ left: `${Math.max(0, place(one.from))}%`, right: `${Math.max(0, 100 - place(one.to))}%` }}
        >
          <span className={classes.area}>
            <span className={classes.bar} style={{ height: `${(100 * (one.count ?? 0)) / most}%` }} />
          </span>
          <span className={classes.area} data-of="starts">
            <span className={classes.starts} style={{ height: `${(100 * one.starts) / mostChanges}%` }} />
          </span>
          <span className={classes.area} data-of="ends">
            <span className={classes.failures} style={{ height: `${(100 * one.failures) / mostChanges}%` }} />
            <span className={classes.ends} style={{ height: `${(100 * (one.ends - one.failures)) / mostChanges}%` }} />
          </span>
        </span>
      ))}
      {at >= from && <span className={classes.cursor} style={{ left: `${place(at)}%` }} />}
      {drag !== null && (
        <span
          className={classes.window}
          style={{ left: `${place(Math.min(...drag))}%`, width: `${Math.abs(place(drag[1]) - place(drag[0]))}%` }}
        />
      )}
    </div>
  );
}

/** What is dragged over, as two moments; the moment below the pointer; and what the strip listens to. */
function useDrag(from: number, to: number, onTravel: DataStripProps["onTravel"], onWindow: DataStripProps["onWindow"]) {
  const begin = useRef<number | null>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  const [hovered, setHovered] = useState<number | null>(null);

  const momentOf = (event: PointerEvent<HTMLElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const share = width === 0 ? 0 : Math.max(0, Math.min(1, (event.clientX - left) / width));
    return Math.round(from + share * (to - from));
  };
  const handlers = {
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      begin.current = event.clientX;
      const moment = momentOf(event);
      setDrag([moment, moment]);
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const moment = momentOf(event);
      setHovered(moment);
      setDrag((before) => before && [before[0], moment]);
    },
    onPointerLeave: () => setHovered(null),
    onPointerCancel: () => setDrag(null),
    onPointerUp: (event: PointerEvent<HTMLElement>) => {
      if (drag === null || begin.current === null) return;
      const [first, last] = [drag[0], momentOf(event)].sort((a, b) => a - b) as [number, number];
      if (Math.abs(event.clientX - begin.current) < DRAG_PIXELS || first === last) onTravel(last);
      else onWindow(first, last);
      setDrag(null);
    },
  };
  return { drag, hovered, handlers };
}

/** `12,081 processes; 14 began, 12 ended, 3 of them with an exit code other than 0: 2 × SIGKILL, 1 × exit 1`. */
function inWords({ count, starts, ends, failures, exits }: DataStep): string {
  const there = count === null ? "no data" : `${formatCount(Math.round(count))} processes`;
  if (starts + ends === 0) return there;
  const changed = `${there}; ${formatCount(starts)} began, ${formatCount(ends)} ended`;
  if (failures === 0) return changed;
  const codes = exits.map(([name, times]) => `${formatCount(times)} × ${name}`).join(", ");
  return `${changed}, ${formatCount(failures)} of them with an exit code other than 0: ${codes}`;
}

function total(steps: readonly DataStep[], of: "starts" | "ends" | "failures"): string {
  return formatCount(steps.reduce((sum, step) => sum + step[of], 0));
}

function described(steps: readonly DataStep[]): string {
  const gaps = steps.filter(({ count }) => count === null).length;
  const counts = steps.flatMap(({ count }) => (count === null ? [] : [count]));
  if (counts.length === 0) return "Processes over time: no data";
  const range = [Math.min(...counts), Math.max(...counts)].map((count) => formatCount(Math.round(count))).join(" to ");
  const isChanged = steps.some(({ starts, ends }) => starts + ends > 0);
  const ended = `${total(steps, "ends")} ended, ${total(steps, "failures")} of them badly`;
  const changed = isChanged ? `; ${total(steps, "starts")} began, ${ended}` : "";
  return `Processes over time: ${range}${changed}; ${formatCount(gaps)} of ${formatCount(steps.length)} steps without data`;
}
