/** One process: what it is, what it used over time, whose child it is, and how it ran before. */

import { ActionIcon, Alert, Badge, Button, Group, Tabs, Text, Title } from "@mantine/core";
import { IconTerminal2, IconX } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import { ApiError } from "../api/client";
import type { OneProcess, ProcessItem } from "../api/types";
import { useInstant } from "../state/instant";
import { useExtra } from "../state/useView";
import { CurlCommand } from "../ui/copy/CurlCommand";
import { Moment } from "../ui/format/Moment";
import { processName } from "../ui/format/processNames";
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
      <header className={classes.header}>
        <div className={classes.names}>
          <Title order={2} size="h4" ref={heading} tabIndex={-1} className={classes.name}>
            <bdi>{process === undefined ? "Process" : brief(processName(process.attributes))}</bdi>
          </Title>
          {process !== undefined && (
            <Text size="xs" c="var(--ink-quiet)" className={classes.name}>
              pid {process.attributes.pid} on <bdi>{brief(process.attributes.host)}</bdi>
            </Text>
          )}
        </div>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconTerminal2 size={15} aria-hidden="true" />}
          aria-expanded={isCurlOpen}
          onClick={() => setIsCurlOpen((before) => !before)}
        >
          curl
        </Button>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Close the process" onClick={onClose}>
          <IconX size={18} aria-hidden="true" />
        </ActionIcon>
      </header>
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
  const { ended, exit_code: code, signal, numbers } = process.attributes;
  if (ended !== null) {
    return (
      <Badge variant="default" tt="none">
        ended <Moment seconds={secondsOf(ended)} />
        {signal === null ? (code === null ? "" : `, exit code ${code}`) : `, killed by ${signal}`}
      </Badge>
    );
  }
  const state = numbers.state === null ? "" : (STATES[numbers.state] ?? numbers.state);
  if (isGone || state === "") return null;
  return (
    <Badge variant="default" tt="none">
      {state}
    </Badge>
  );
}
