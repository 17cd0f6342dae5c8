/** One process: what it is, what it used over time, whose child it is, and how it ran before. */

import { ActionIcon, Alert, Button, Group, Tabs, Text, Title } from "@mantine/core";
import { IconChevronDown, IconChevronUp, IconTerminal2, IconX } from "@tabler/icons-react";
import { useEffect, useRef, useState, type RefObject } from "react";

import { ApiError } from "../api/client";
import type { OneProcess, ProcessItem } from "../api/types";
import { useInstant } from "../state/instant";
import { useExtra } from "../state/useView";
import { useRowWalk } from "../state/walk/rowWalk";
import { Copyable } from "../ui/copy/Copyable";
import { CurlCommand } from "../ui/copy/CurlCommand";
import { Moment } from "../ui/format/Moment";
import { outcomeOf, processName } from "../ui/format/processNames";
import { brief } from "../ui/format/text";
import { secondsOf } from "../ui/format/times";
import { Loading } from "../ui/parts/Loading";
import { ErrorMessage } from "../ui/parts/ErrorMessage";
import { useApiQuery } from "../ui/parts/useApiQuery";
import { Attributes } from "./about/Attributes";
import { ProcessHistory } from "./history/ProcessHistory";
import classes from "./panel.module.css";
import { PastRuns } from "./runs/PastRuns";
import { ProcessTree } from "./tree/ProcessTree";

interface ProcessPanelProps {
  /** Of the process that is shown. */
  id: string;
  onClose: () => void;
}

const SECTIONS = ["about", "history", "tree", "runs"] as const;

export function ProcessPanel({ id, onClose }: ProcessPanelProps) {
  const instant = useInstant();
  const [section, setSection] = useExtra("panel", "about");
  const [isCurlOpen, setIsCurlOpen] = useState(false);
  const now = useApiQuery<OneProcess>(`/processes/${id}`, { at: instant.at }, { isMoving: instant.isLive });
  // While it is live the next answer is on its way half of the time: until it has come, what was found stays.
  const [wasGone, setWasGone] = useState(false);
  const isGone = now.isFetching ? wasGone : now.error instanceof ApiError && now.error.status === 404;
  if (isGone !== wasGone) setWasGone(isGone);
  const ever = useApiQuery<OneProcess>(`/processes/${id}`, {}, { isEnabled: isGone });
  const query = isGone ? ever : now;
  // What was kept of the process before is not this one.
  const process = query.data?.data.id === id ? query.data.data : undefined;

  const heading = useRef<HTMLHeadingElement>(null);
  const isThere = process !== undefined;
  useEffect(() => {
    if (isThere) heading.current?.focus();
  }, [id, isThere]);

  return (
    <article className={classes.panel} aria-label="Process">
      <Header
        process={process}
        heading={heading}
        isCurlOpen={isCurlOpen}
        onCurl={() => setIsCurlOpen((before) => !before)}
        onClose={onClose}
      />
      {isCurlOpen && <CurlCommand path={`/processes/${id}`} params={isGone || instant.isLive ? {} : { at: instant.at }} />}
      {process !== undefined ? (
        <Body
          process={process}
          isGone={isGone}
          section={SECTIONS.find((one) => one === section) ?? "about"}
          onSection={setSection}
        />
      ) : query.isError ? (
        <ErrorMessage error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Loading label="Loading the process" />
      )}
    </article>
  );
}

interface HeaderProps {
  /** undefined until it is known. */
  process: ProcessItem | undefined;
  heading: RefObject<HTMLHeadingElement | null>;
  isCurlOpen: boolean;
  onCurl: () => void;
  onClose: () => void;
}

function Header({ process, heading, isCurlOpen, onCurl, onClose }: HeaderProps) {
  return (
    <header className={classes.header}>
      <div className={classes.names}>
        <Title order={2} size="h4" ref={heading} tabIndex={-1} className={classes.name}>
          <bdi>{process === undefined ? "Process" : brief(processName(process.attributes))}</bdi>
        </Title>
        {process !== undefined && (
          <Text size="xs" c="var(--ink-quiet)" className={classes.name}>
            pid{" "}
            <Copyable text={String(process.attributes.pid)} what="the pid">
              {process.attributes.pid}
            </Copyable>{" "}
            on{" "}
            <Copyable text={process.attributes.host} what="the host">
              <bdi>{brief(process.attributes.host)}</bdi>
            </Copyable>
          </Text>
        )}
      </div>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconTerminal2 size={15} aria-hidden="true" />}
        aria-expanded={isCurlOpen}
        onClick={onCurl}
      >
        curl
      </Button>
      <WalkButtons />
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Close the process" onClick={onClose}>
        <IconX size={18} aria-hidden="true" />
      </ActionIcon>
    </header>
  );
}

/** To the row before and after, of the table that the process was opened from. */
function WalkButtons() {
  const rows = useRowWalk();
  if (rows === null) return null;
  return (
    <ActionIcon.Group>
      {(
        [
          { step: -1, isThere: rows.hasPrevious, label: "Previous process", Icon: IconChevronUp },
          { step: 1, isThere: rows.hasNext, label: "Next process", Icon: IconChevronDown },
        ] as const
      ).map(({ step, isThere, label, Icon }) => (
        <ActionIcon
          key={label}
          variant="default"
          size={30}
          aria-label={label}
          title={label}
          // Not disabled: that would take the focus away.
          aria-disabled={!isThere}
          data-disabled={!isThere || undefined}
          onClick={() => rows.walk(step)}
        >
          <Icon size={16} aria-hidden="true" />
        </ActionIcon>
      ))}
    </ActionIcon.Group>
  );
}

interface BodyProps {
  process: ProcessItem;
  isGone: boolean;
  section: (typeof SECTIONS)[number];
  onSection: (section: string | null) => void;
}

function Body({ process, isGone, section, onSection }: BodyProps) {
  const instant = useInstant();
  const seenAt = secondsOf(process.attributes.timestamp);
  // Those that are there have been seen within a minute of the instant.
  const lastSeen = isGone ? seenAt : null;
  return (
    <>
      <Group gap="xs" className={classes.status}>
        <Status process={process} isGone={isGone} />
      </Group>
      {isGone && seenAt < instant.at && (
        <Alert color="yellow" variant="light" p="xs" className={classes.notice}>
          It was not running at <Moment seconds={instant.at} />. What is shown was last seen at{" "}
          <Moment seconds={seenAt} />.
        </Alert>
      )}
      {isGone && seenAt >= instant.at && (
        <Alert color="yellow" variant="light" p="xs" className={classes.notice}>
          It was not seen around <Moment seconds={instant.at} />. What is shown was last seen at{" "}
          <Moment seconds={seenAt} />.
        </Alert>
      )}
      <Tabs value={section} onChange={onSection} keepMounted={false} className={classes.tabs}>
        <Tabs.List aria-label="Details of the process">
          <Tabs.Tab value="about">About</Tabs.Tab>
          <Tabs.Tab value="history">Over time</Tabs.Tab>
          <Tabs.Tab value="tree">Tree</Tabs.Tab>
          <Tabs.Tab value="runs">Runs</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="about" pt="sm">
          <Attributes process={process} />
        </Tabs.Panel>
        <Tabs.Panel value="history" pt="sm">
          <ProcessHistory id={process.id} lastSeen={lastSeen} />
        </Tabs.Panel>
        <Tabs.Panel value="tree" pt="sm">
          <ProcessTree id={process.id} lastSeen={lastSeen} />
        </Tabs.Panel>
        <Tabs.Panel value="runs" pt="sm">
          <PastRuns id={process.id} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

const STATES: Readonly<Record<string, string>> = {
  R: "running",
  S: "sleeping",
  D: "waiting for the disk",
  T: "stopped",
  t: "traced",
  Z: "zombie",
  X: "dead",
  I: "idle",
  W: "waking or paging",
  P: "parked",
  K: "waiting, can be killed",
  x: "dead",
};

function Status({ process, isGone }: { process: ProcessItem; isGone: boolean }) {
  const { ended, numbers } = process.attributes;
  if (ended !== null) {
    const outcome = outcomeOf(process.attributes);
    return (
      <span className={classes.badge}>
        ended <Moment seconds={secondsOf(ended)} />
        {outcome === "ended" ? "" : `, ${outcome}`}
      </span>
    );
  }
  const state = numbers.state === null ? "" : (STATES[numbers.state] ?? numbers.state);
  if (isGone || state === "") return null;
  return <span className={classes.badge}>{state}</span>;
}
