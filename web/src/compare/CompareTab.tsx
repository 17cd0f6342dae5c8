/** Two instants, two hosts or two groups: what started, what ended, what changed. */

import { Button, SegmentedControl, Select, Tabs } from "@mantine/core";
import { IconArrowsExchange } from "@tabler/icons-react";
import { useState } from "react";

import type { ComparedSide, Comparison, Match } from "../api/types";
import { Moment } from "../ui/format/Moment";
import { formatCount } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import { Answer } from "../ui/parts/Answer";
import shared from "../ui/parts/parts.module.css";
import { useAnswer } from "../ui/parts/useAnswer";
import { Empty } from "../ui/parts/Empty";
import { useInstant } from "../state/instant";
import { useExtra, useView } from "../state/useView";
import classes from "./compare.module.css";
import { Differences, type Shown } from "./Differences";
import { HostPicker, MomentPicker, TagPicker } from "./SidePickers";
import { compareParams, instantsOf, SUBJECTS, sidesOf, withSides, type Subject, type Sides } from "./sides";

const FEW = 100;
const MOST = 1000;
const DIFFERENCES: readonly Shown[] = ["started", "ended", "changed"];
const SUBJECT_LABELS: Readonly<Record<Subject, string>> = { instants: "Instants", hosts: "Hosts", groups: "Groups" };

export function CompareTab() {
  const [view, patch] = useView();
  const instant = useInstant();
  const [limit, setLimit] = useState(FEW);
  const sides = sidesOf(view.extra);
  const change = (sides: Partial<Sides>) => patch({ extra: withSides(view.extra, sides) });
  const params = compareParams(sides, view, instant.at, limit);
  const query = useAnswer<Comparison>("/compare", params ?? {}, {
    isMoving: instant.isLive,
    isEnabled: params !== null,
  });
  return (
    <section className={shared.tab} aria-label="Compare">
      <div className={`${shared.bar} ${classes.bar}`}>
        <SegmentedControl
          size="xs"
          aria-label="What is compared"
          data={SUBJECTS.map((subject) => ({ value: subject, label: SUBJECT_LABELS[subject] }))}
          value={sides.subject}
          onChange={(text) => change({ subject: SUBJECTS.find((subject) => subject === text) ?? "instants" })}
        />
        <Pickers key={sides.subject} sides={sides} at={instant.at} onChange={change} />
        <MatchPicker sides={sides} onChange={(match) => change({ match })} />
      </div>
      {params === null ? (
        <Empty title={sides.subject === "hosts" ? "Choose two hosts" : "Choose two groups"}>
          {sides.subject === "hosts"
            ? "Name a host on each side: what runs on one and not on the other is shown here."
            : "Name a tag on each side, such as version:1.0 and version:2.0: what only one of them runs is shown here."}
        </Empty>
      ) : (
        <Answer query={query} label="Comparing" isMoving={instant.isLive}>
          {(found) => <Found found={found} onMore={limit < MOST ? () => setLimit(MOST) : undefined} />}
        </Answer>
      )}
    </section>
  );
}

interface PickersProps {
  sides: Sides;
  at: number;
  onChange: (sides: Partial<Sides>) => void;
}

function Pickers({ sides, at, onChange }: PickersProps) {
  const [left, right] = instantsOf(sides, at);
  const Picker = sides.subject === "hosts" ? HostPicker : TagPicker;
  return (
    <>
      {sides.subject === "instants" ? (
        <>
          <MomentPicker
            label="Left: before"
            seconds={left}
            isDefault={sides.left === ""}
            other={right}
            onChange={(value) => onChange({ left: value })}
          />
          <MomentPicker
            label="Right: after"
            seconds={right}
            isDefault={sides.right === ""}
            onChange={(value) => onChange({ right: value })}
          />
        </>
      ) : (
        <>
          <Picker label="Left" value={sides.left} onChange={(value) => onChange({ left: value })} />
          <Picker label="Right" value={sides.right} onChange={(value) => onChange({ right: value })} />
        </>
      )}
      <Button
        size="xs"
        variant="default"
        leftSection={<IconArrowsExchange size={15} aria-hidden="true" />}
        onClick={() =>
          onChange(
            sides.subject === "instants"
              ? { left: String(right), right: String(left) }
              : { left: sides.right, right: sides.left },
          )
        }
      >
        Swap
      </Button>
    </>
  );
}

function MatchPicker({ sides, onChange }: { sides: Sides; onChange: (match: Match) => void }) {
  const choices: { value: Match; label: string }[] = [
    // The same process is never on two hosts.
    ...(sides.subject === "hosts" ? [] : [{ value: "process" as const, label: "Process" }]),
    { value: "command", label: "Command" },
    { value: "cmdline", label: "Command line" },
  ];
  return (
    <Select
      label="Match by"
      size="xs"
      w={150}
      data={choices}
      value={sides.match}
      allowDeselect={false}
      onChange={(value) => {
        const match = choices.find((choice) => choice.value === value)?.value;
        if (match !== undefined) onChange(match);
      }}
    />
  );
}

function Found({ found, onMore }: { found: Comparison; onMore: (() => void) | undefined }) {
  const [shownText, setShown] = useExtra("show", "started");
  const { meta } = found;
  const isKnown = meta.left.known && meta.right.known;
  const isInTime = meta.left.at !== meta.right.at;
  const labels: Record<Shown, string> = isInTime
    ? { started: "Started", ended: "Ended", changed: "Changed" }
    : { started: "Only right", ended: "Only left", changed: "Changed" };
  const shown = DIFFERENCES.find((one) => one === shownText) ?? "started";
  const listed = found[shown].length;
  return (
    <>
      <p className={shared.note} role="status">
        <SideTotal side={meta.left} /> on the left, <SideTotal side={meta.right} /> on the right;{" "}
        {formatCount(meta.same)} {meta.match === "process" ? "are" : meta.match === "command" ? "commands are" : "command lines are"} the same.
      </p>
      <Silent side={meta.left} name="left" />
      <Silent side={meta.right} name="right" />
      <Tabs value={shown} onChange={(one) => setShown(one)} keepMounted={false}>
        <Tabs.List aria-label="Differences">
          {DIFFERENCES.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {labels[one]} <span className={classes.badge}>{formatCount(meta[one])}</span>
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={shown} pt="xs">
          {listed === 0 ? (
            <Empty title={isKnown ? `Nothing ${emptyOf(shown, isInTime)}` : "No data for one of the sides"}>
              {!isKnown
                ? "No agent reported for it: choose another moment or other hosts."
                : meta.left.total + meta.right.total === 0
                ? "There is no process on either side: change the search, the tags or the sides."
                : "Look at the other differences, or choose other sides."}
            </Empty>
          ) : (
            <Differences found={found} shown={shown} />
          )}
          {listed < meta[shown] && (
            <p className={shared.note}>
              The {formatCount(listed)} with the most memory are shown.{" "}
              {onMore !== undefined && (
                <button type="button" className={shared.link} onClick={onMore}>
                  Show up to {formatCount(MOST)}
                </button>
              )}
            </p>
          )}
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function SideTotal({ side }: { side: ComparedSide }) {
  if (!side.known) {
    return (
      <>
        no data for <Moment seconds={side.at} />
      </>
    );
  }
  return (
    <>
      {formatCount(side.total)} processes at <Moment seconds={side.at} />
    </>
  );
}

/** Hosts that are left out of the differences. */
function Silent({ side, name }: { side: ComparedSide; name: string }) {
  if (!side.known || side.silent === 0) return null;
  const [first = "", ...others] = side.silent_hosts;
  const rest = side.silent - 1;
  return (
    <p className={shared.note} role="status" title={others.length > 0 ? [first, ...others].map((host) => brief(host)).join("\n") : undefined}>
      No data on the {name} for <bdi>{brief(first)}</bdi>
      {rest > 0 && ` and ${formatCount(rest)} more ${rest === 1 ? "host" : "hosts"}`}: left out of the differences.
    </p>
  );
}

function emptyOf(shown: Shown, isInTime: boolean): string {
  if (shown === "changed") return "changed";
  if (isInTime) return shown;
  return shown === "started" ? "is on the right only" : "is on the left only";
}
