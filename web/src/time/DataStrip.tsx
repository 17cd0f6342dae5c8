/** A strip over the slider: how many processes there were, and where nothing is known. */

import { useRef, useState, type PointerEvent } from "react";

import { formatCount } from "../ui/format/numbers";
import { formatDateTime } from "../ui/format/times";
import { nearest, type DataStep } from "./dataSteps";
import classes from "./DataStrip.module.css";

/** A drag that is shorter is a click. */
const DRAG_PIXELS = 6;

interface DataStripProps {
  steps: readonly DataStep[];
  from: number;
  to: number;
  /** The instant that is shown. */
  at: number;
  onTravel: (at: number) => void;
  onWindow: (from: number, to: number) => void;
}

/** A click travels, a drag sets the window. The slider below does the same for keys. */
export function DataStrip({ steps, from, to, at, onTravel, onWindow }: DataStripProps) {
  const { drag, hovered, handlers } = useDrag(from, to, onTravel, onWindow);
  const most = Math.max(1, ...steps.map(({ count }) => count ?? 0));
  const place = (moment: number) => (100 * (moment - from)) / (to - from);
  const step = hovered === null ? undefined : nearest(steps, hovered);
  return (
    <div
      className={classes.strip}
      role="img"
      aria-label={described(steps)}
      title={step && `${formatDateTime(step.at)}: ${step.count === null ? "no data" : `${formatCount(step.count)} processes`}`}
      {...handlers}
    >
      {steps.map(({ at: moment, count }) => (
        <span key={moment} className={classes.step} data-gap={count === null || undefined}>
          <span className={classes.bar} style={{ height: `${(100 * (count ?? 0)) / most}%` }} />
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

function described(steps: readonly DataStep[]): string {
  const gaps = steps.filter(({ count }) => count === null).length;
  const counts = steps.flatMap(({ count }) => (count === null ? [] : [count]));
  if (counts.length === 0) return "Processes over time: no data";
  const range = `${formatCount(Math.min(...counts))} to ${formatCount(Math.max(...counts))}`;
  return `Processes over time: ${range}; ${formatCount(gaps)} of ${formatCount(steps.length)} steps without data`;
}
