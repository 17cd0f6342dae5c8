/** The slider over the history that is kept: the whole page shows the fleet as it was at that instant. */

import { ActionIcon, Button, NativeSelect, Tooltip } from "@mantine/core";
import {
  IconChevronLeft,
  IconChevronRight,
  IconChevronsLeft,
  IconChevronsRight,
  IconHistory,
} from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import { serverNow } from "../api/client";
import { useInstant } from "../state/instant";
import { useView } from "../state/useView";
import { formatDuration } from "../ui/format/numbers";
import { formatDateTime, formatMoment, formatUtc, fromInputValue, toInputValue } from "../ui/format/times";
import { nextData, type DataStep } from "./dataSteps";
import { DataStrip } from "./DataStrip";
import { sliderSpans, spanOf } from "./spans";
import classes from "./Time.module.css";
import { useDataSteps } from "./useDataSteps";
import { useOldestInstant } from "./useOldestInstant";

/** The slider is never shorter, so that it is no other one every minute while a server is new. */
const LEAST_SPAN = 3600;

/** As far back as it goes until it is known how far back data goes. */
const USUAL_SPAN = 7 * 86_400;

/** Wait until the slider rests: the instants that it passes are not fetched. */
const SETTLE_MS = 150;

interface Step {
  seconds: number;
  label: string;
  Icon: typeof IconChevronLeft;
}

const BACK: readonly Step[] = [
  { seconds: -600, label: "10 minutes back", Icon: IconChevronsLeft },
  { seconds: -10, label: "10 seconds back", Icon: IconChevronLeft },
];
const FORWARD: readonly Step[] = [
  { seconds: 10, label: "10 seconds forward", Icon: IconChevronRight },
  { seconds: 600, label: "10 minutes forward", Icon: IconChevronsRight },
];

export function TimeTravel() {
  const [view] = useView();
  const { at } = useInstant();
  return view.time.mode === "at" ? <Slider at={at} asked={view.time.at} /> : null;
}

interface SliderProps {
  /** The instant that is shown. */
  at: number;
  /** The instant of the address, which may be in the future. */
  asked: number;
}

function Slider({ at, asked }: SliderProps) {
  const [, patch] = useView();
  const kept = useOldestInstant();
  // The slider must not slide by itself.
  const [now] = useState(serverNow);
  const oldest = Math.min(kept.oldest ?? now - USUAL_SPAN, now - LEAST_SPAN);
  const spans = sliderSpans(now - oldest);
  const [chosenSpan, setChosenSpan] = useState<number | null>(null);
  const span = Math.max(chosenSpan ?? 0, spanOf(at, now, spans));
  const least = now - span;
  const { shown, go, slide } = useSlide(at, oldest, now);
  const steps = useDataSteps(least, now, kept.isAsked);

  return (
    <section className={classes.travel} aria-label="Time travel">
      <strong className={classes.instant} title={formatUtc(shown)}>
        <IconHistory size={16} aria-hidden="true" /> {formatDateTime(shown)}
      </strong>
      {asked > at && (
        <span className={classes.future} role="status">
          {formatDateTime(asked)} is in the future. This is the newest that is known.
        </span>
      )}
      <StepButtons steps={BACK} onStep={(seconds) => go(shown + seconds)} />
      <span className={classes.track}>
        <DataStrip
          steps={steps}
          from={least}
          to={now}
          at={shown}
          onTravel={go}
          onWindow={(from, to) => patch({ time: { mode: "range", from, to } })}
        />
        <input
          type="range"
          className={classes.slider}
          aria-label="Instant"
          aria-valuetext={formatDateTime(shown)}
          title={formatUtc(shown)}
          min={least}
          max={now}
          step={Math.max(10, Math.round(span / 1000 / 10) * 10)}
          value={shown}
          onChange={(event) => slide(Number(event.currentTarget.value))}
        />
        <span className={classes.ends} aria-hidden="true">
          <span title={formatUtc(least)}>{formatMoment(least)}</span>
          <span>now</span>
        </span>
      </span>
      <StepButtons steps={FORWARD} onStep={(seconds) => go(shown + seconds)} />
      <DataButtons steps={steps ?? []} at={shown} onTravel={go} />
      <SpanSelect span={span} spans={spans} onChange={setChosenSpan} />
      <DateInput moment={shown} oldest={oldest} now={now} onChange={slide} />
      <Button size="xs" variant="filled" onClick={() => patch({ time: { mode: "last", seconds: 900 } })}>
        Back to now
      </Button>
    </section>
  );
}

interface DataButtonsProps {
  steps: readonly DataStep[];
  at: number;
  onTravel: (at: number) => void;
}

/** Over the gaps, to where something is known again. They are there before that is known, so that nothing moves. */
function DataButtons({ steps, at, onTravel }: DataButtonsProps) {
  const [before, after] = [nextData(steps, at, -1), nextData(steps, at, 1)];
  return (
    <span className={classes.steps}>
      <Button size="compact-xs" variant="default" disabled={before === null} onClick={() => before !== null && onTravel(before)}>
        Data before
      </Button>
      <Button size="compact-xs" variant="default" disabled={after === null} onClick={() => after !== null && onTravel(after)}>
        Next data
      </Button>
    </span>
  );
}

interface SpanSelectProps {
  span: number;
  spans: readonly number[];
  onChange: (span: number) => void;
}

function SpanSelect({ span, spans, onChange }: SpanSelectProps) {
  return (
    <NativeSelect
      size="xs"
      aria-label="History on the slider"
      value={String(span)}
      onChange={(event) => onChange(Number(event.currentTarget.value))}
      data={[...new Set([...spans, span])].map((one) => ({
        value: String(one),
        label: one === spans.at(-1) ? `All (${formatDuration(one)})` : `Last ${formatDuration(one)}`,
      }))}
    />
  );
}

interface DateInputProps {
  moment: number;
  oldest: number;
  now: number;
  onChange: (moment: number) => void;
}

function DateInput({ moment, oldest, now, onChange }: DateInputProps) {
  return (
    <input
      type="datetime-local"
      className={classes.date}
      aria-label="Date and time"
      title={formatUtc(moment)}
      step={1}
      min={toInputValue(oldest)}
      max={toInputValue(now)}
      value={toInputValue(moment)}
      onChange={(event) => {
        const chosen = fromInputValue(event.currentTarget.value);
        if (chosen !== null) onChange(chosen);
      }}
    />
  );
}

/** The moment at the slider, and two ways to another one: at once, or when the slider rests. */
function useSlide(at: number, oldest: number, now: number) {
  const [, patch] = useView();
  const [moving, setMoving] = useState<number | null>(null);
  const timer = useRef<number | undefined>(undefined);

  const go = (moment: number) => {
    window.clearTimeout(timer.current);
    setMoving(null);
    patch({ time: { mode: "at", at: Math.round(Math.max(oldest, Math.min(moment, now))) } }, "replace");
  };
  const slide = (moment: number) => {
    setMoving(moment);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => go(moment), SETTLE_MS);
  };
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return { shown: moving ?? at, go, slide };
}

function StepButtons({ steps, onStep }: { steps: readonly Step[]; onStep: (seconds: number) => void }) {
  return (
    <span className={classes.steps}>
      {steps.map(({ seconds, label, Icon }) => (
        <Tooltip key={seconds} label={label}>
          <ActionIcon size="md" variant="default" aria-label={label} onClick={() => onStep(seconds)}>
            <Icon size={15} />
          </ActionIcon>
        </Tooltip>
      ))}
    </span>
  );
}
