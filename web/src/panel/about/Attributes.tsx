import { Group, Text } from "@mantine/core";
import { useRef, useState, type ReactNode } from "react";

import { MEASURES } from "../../api/measures";
import type { ProcessAttributes, ProcessItem, ProcessNumbers } from "../../api/types";
import { useInstant } from "../../state/instant";
import { Copyable } from "../../ui/copy/Copyable";
import { useCopy } from "../../ui/copy/useCopy";
import { formatMeasure } from "../../ui/format/measures";
import { Moment } from "../../ui/format/Moment";
import { formatDuration, UNKNOWN } from "../../ui/format/numbers";
import { brief } from "../../ui/format/text";
import { secondsOf } from "../../ui/format/times";
import shared from "../../ui/parts/parts.module.css";
import classes from "./about.module.css";
import { Arguments } from "./Arguments";
import { Cost } from "./Cost";
import { Discovery } from "./Discovery";
import { Fact } from "./Fact";
import { ParentLink } from "./ParentLink";
import { Tags } from "./Tags";

/** More of a text is shown on demand: a command line may have a megabyte. */
const MAX_CHARACTERS_SHOWN = 2000;
const CONTAINER_KEYS = /^(container|kube|image|docker|pod|display_container|short_image|ecs|task)_?/;

export function Attributes({ process }: { process: ProcessItem }) {
  const { attributes } = process;
  const [containerTags, otherTags] = splitTags(attributes.tags);
  return (
    <>
      <LongText label="Command line" text={attributes.cmdline} />
      <Facts process={process} />
      {attributes.args !== null && attributes.args.length > 0 && (
        <Section title="Arguments">
          <Arguments args={attributes.args} />
        </Section>
      )}
      <Numbers numbers={attributes.numbers} />
      {attributes.cost !== null && (
        <Section title="Used in all">
          <Cost cost={attributes.cost} />
        </Section>
      )}
      <Section title="Found out">
        <Discovery attributes={attributes} />
      </Section>
      <Container attributes={attributes} tags={containerTags} />
      <Section title="Tags">
        <Tags tags={otherTags} label="Tags" />
      </Section>
      <Section title="ID">
        <Text size="xs" ff="monospace" className={classes.breaking}>
          <Copyable text={process.id} what="the ID">
            {process.id}
          </Copyable>
        </Text>
      </Section>
    </>
  );
}

function Facts({ process }: { process: ProcessItem }) {
  const { attributes } = process;
  const instant = useInstant();
  const start = secondsOf(attributes.start);
  const seenAt = secondsOf(attributes.timestamp);
  const runsUntil = seenAt >= instant.at - 60 ? instant.at : seenAt;
  const until = attributes.ended === null ? runsUntil : secondsOf(attributes.ended);
  return (
    <dl className={classes.facts}>
      <Fact name="Started">
        <Moment seconds={start} /> <span className={classes.quiet}>({formatDuration(until - start)})</span>
      </Fact>
      <Fact name="Last seen">
        <Moment seconds={seenAt} />
      </Fact>
      {attributes.oom_killed === true && (
        <Fact name="Out of memory">
          {attributes.oom_cgroup === null ? UNKNOWN : textOrUnknown(attributes.oom_cgroup, "the cgroup")}
        </Fact>
      )}
      <Fact name="User">
        <bdi>{brief(attributes.user)}</bdi>
        {attributes.uid !== null && <span className={classes.quiet}> (uid {attributes.uid})</span>}
      </Fact>
      <Fact name="Unix group">
        {attributes.group === "" && attributes.gid === null ? UNKNOWN : <bdi>{brief(attributes.group)}</bdi>}
        {attributes.gid !== null && <span className={classes.quiet}> (gid {attributes.gid})</span>}
      </Fact>
      <Fact name="Parent">
        <ParentLink process={process} />
      </Fact>
      <Fact name="Nice">{attributes.nice ?? UNKNOWN}</Fact>
      <Fact name="Executable">{textOrUnknown(attributes.exe, "the executable")}</Fact>
      <Fact name="Working directory">{textOrUnknown(attributes.cwd, "the working directory")}</Fact>
      <Fact name="Root directory">{textOrUnknown(attributes.root, "the root directory")}</Fact>
      <Fact name="comm">{textOrUnknown(attributes.comm, "comm")}</Fact>
    </dl>
  );
}

function Numbers({ numbers }: { numbers: ProcessNumbers }) {
  return (
    <Section title="Numbers">
      <dl className={classes.facts}>
        {MEASURES.map((measure) => (
          <Fact key={measure.name} name={measure.label}>
            {formatMeasure(numbers[measure.name], measure.unit)}
          </Fact>
        ))}
      </dl>
    </Section>
  );
}

function Container({ attributes, tags }: { attributes: ProcessAttributes; tags: readonly string[] }) {
  return (
    <Section title="Container">
      {attributes.container_id === "" && tags.length === 0 ? (
        <Text size="sm" c="var(--ink-quiet)">
          Not in a known container
        </Text>
      ) : (
        <>
          <dl className={classes.facts}>
            <Fact name="ID">{textOrUnknown(attributes.container_id, "the container ID")}</Fact>
            <Fact name="Namespace PID">{attributes.namespace_pid ?? UNKNOWN}</Fact>
          </dl>
          <Tags tags={tags} label="Tags of the container" />
        </>
      )}
    </Section>
  );
}

function splitTags(tags: readonly string[]): [string[], string[]] {
  const isContainers = (tag: string) => CONTAINER_KEYS.test(tag);
  return [tags.filter(isContainers), tags.filter((tag) => !isContainers(tag))];
}

/** `what` says which text is copied. */
function textOrUnknown(text: string, what: string): ReactNode {
  if (text === "") return UNKNOWN;
  return (
    <Copyable text={text} what={what}>
      <bdi>{brief(text, MAX_CHARACTERS_SHOWN)}</bdi>
    </Copyable>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.section} aria-label={title}>
      <h3 className={classes.sectionTitle}>{title}</h3>
      {children}
    </section>
  );
}

function LongText({ label, text }: { label: string; text: string }) {
  const shown = useRef<HTMLPreElement>(null);
  const { message, copy } = useCopy(text, shown);
  const [isWhole, setIsWhole] = useState(false);
  const isCut = text.length > MAX_CHARACTERS_SHOWN && !isWhole;
  return (
    <div className={classes.section}>
      <pre ref={shown} className={classes.cmdline} aria-label={label} tabIndex={0} dir="auto">
        {text === "" ? "No command line: a kernel thread" : brief(text, isCut ? MAX_CHARACTERS_SHOWN : Infinity)}
      </pre>
      <Group gap="md">
        {isCut && (
          <button type="button" className={shared.link} onClick={() => setIsWhole(true)}>
            Show all {text.length.toLocaleString("en-US")} characters
          </button>
        )}
        {text !== "" && (
          <button type="button" className={shared.link} onClick={copy}>
            Copy the command line
          </button>
        )}
        <Text size="xs" role="status">
          {message}
        </Text>
      </Group>
    </div>
  );
}
