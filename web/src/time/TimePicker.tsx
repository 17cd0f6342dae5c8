/** Which time the page shows: live, the last minutes or hours, any range, or an instant of the past. */

import { Button, Popover, TextInput, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconCalendar, IconHistory, IconPlayerPlayFilled, IconPlayerStopFilled } from "@tabler/icons-react";
import { useState, type SubmitEvent } from "react";

import { serverNow } from "../api/client";
import { useInstant } from "../state/instant";
import { useView } from "../state/useView";
import type { ViewTime } from "../state/view";
import { formatDateTime, formatUtc, fromInputValue, toInputValue } from "../ui/format/times";
import { timeZone } from "../ui/format/zone";
import { timeLabel, PRESETS } from "./spans";
import classes from "./Time.module.css";

export function TimePicker() {
  const [view, patch] = useView();
  const instant = useInstant();
  const [isOpen, menu] = useDisclosure(false);
  const { time } = view;
  const isLive = time.mode === "live";
  const shown: ViewTime = time.mode === "at" ? { mode: "at", at: instant.at } : time;
  const { from, to } = instant.window;
  const hint = time.mode === "at" ? formatUtc(instant.at) : `${formatUtc(from)} to ${formatUtc(to)}`;

  const choose = (next: ViewTime) => {
    patch({ time: next });
    menu.close();
  };

  return (
    <div className={classes.picker} data-mode={time.mode}>
      <Button
        className={classes.live}
        size="xs"
        h={34}
        variant={isLive ? "filled" : "default"}
        leftSection={isLive ? <IconPlayerStopFilled size={13} /> : <IconPlayerPlayFilled size={13} />}
        onClick={() => patch({ time: isLive ? { mode: "last", seconds: 900 } : { mode: "live" } })}
      >
        {isLive ? "Stop live" : "Live"}
      </Button>
      <Popover opened={isOpen} onChange={menu.set} position="bottom-end" withinPortal shadow="md" trapFocus>
        <Popover.Target>
          <Tooltip label={hint} disabled={isOpen}>
            <Button
              className={classes.span}
              size="xs"
              // On a phone a range takes two lines.
              h="auto"
              mih={34}
              variant="default"
              leftSection={time.mode === "at" ? <IconHistory size={15} /> : <IconCalendar size={15} />}
              onClick={menu.toggle}
              aria-label={`Time: ${timeLabel(shown)}`}
              aria-haspopup="dialog"
            >
              {timeLabel(shown)}
            </Button>
          </Tooltip>
        </Popover.Target>
        <Popover.Dropdown className={classes.menu} aria-label="Time">
          <Presets time={time} at={instant.at} onChoose={choose} />
          <RangeForm key={`${from} ${to}`} from={from} to={to} onChoose={(range) => choose({ mode: "range", ...range })} />
        </Popover.Dropdown>
      </Popover>
    </div>
  );
}

interface PresetsProps {
  time: ViewTime;
  /** The instant that is shown, which a travel in time begins at. */
  at: number;
  onChoose: (time: ViewTime) => void;
}

function Presets({ time, at, onChoose }: PresetsProps) {
  return (
    <div className={classes.presets}>
      {PRESETS.map((seconds) => (
        <Button
          key={seconds}
          size="compact-sm"
          justify="flex-start"
          variant={time.mode === "last" && time.seconds === seconds ? "light" : "subtle"}
          onClick={() => onChoose({ mode: "last", seconds })}
        >
          {timeLabel({ mode: "last", seconds })}
        </Button>
      ))}
      <Button
        size="compact-sm"
        justify="flex-start"
        variant={time.mode === "at" ? "light" : "subtle"}
        leftSection={<IconHistory size={14} />}
        onClick={() => onChoose({ mode: "at", at: at - (at % 10) })}
      >
        Go to a moment…
      </Button>
    </div>
  );
}

interface Range {
  from: number;
  to: number;
}

function RangeForm({ from, to, onChoose }: Range & { onChoose: (range: Range) => void }) {
  const [texts, setTexts] = useState({ from: toInputValue(from), to: toInputValue(to) });
  const [error, setError] = useState<string | null>(null);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const range = { from: fromInputValue(texts.from), to: fromInputValue(texts.to) };
    if (range.from === null || range.to === null) setError("Enter a date and a time for both.");
    else if (range.from >= range.to) setError("The start must be before the end.");
    else if (range.from > serverNow()) setError("That is in the future.");
    else onChoose({ from: range.from, to: range.to });
  };

  return (
    <form onSubmit={submit} className={classes.range} noValidate>
      {(["from", "to"] as const).map((name) => {
        const seconds = fromInputValue(texts[name]);
        return (
          <TextInput
            key={name}
            type="datetime-local"
            step={1}
            size="xs"
            label={name === "from" ? "From" : "To"}
            title={seconds === null ? undefined : formatUtc(seconds)}
            value={texts[name]}
            onChange={(event) => setTexts({ ...texts, [name]: event.currentTarget.value })}
          />
        );
      })}
      {error && (
        <p className={classes.error} role="alert">
          {error}
        </p>
      )}
      <p className={classes.zone} title={`${formatUtc(from)} to ${formatUtc(to)}`}>
        Time zone: {timeZone() ?? Intl.DateTimeFormat().resolvedOptions().timeZone}. Now: {formatDateTime(serverNow())}.
      </p>
      <Button type="submit" size="xs">
        Show this range
      </Button>
    </form>
  );
}
