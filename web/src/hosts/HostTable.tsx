import type { Host, SilentHost } from "../api/types";
import { termOf } from "../state/filters";
import { useView } from "../state/useView";
import { formatMeasure } from "../ui/format/measures";
import { MiddleCut } from "../ui/format/MiddleCut";
import { Moment } from "../ui/format/Moment";
import { formatCores, formatCount, formatDuration, UNKNOWN } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import shared from "../ui/parts/parts.module.css";
import { sortsOf, TableHead, type HeadColumns } from "../ui/parts/SortHeader";
import classes from "./hosts.module.css";

const COLUMNS: HeadColumns = [
  ["Host", "host"],
  ["State", null],
  ["Processes", "processes", true],
  ["CPU", "sum:cpu_total_percent", true],
  ["Memory (RSS)", "sum:rss_bytes", true],
  ["Agent", null],
  ["Last boot", null],
  ["Tags", null],
];

/** What the server sorts hosts by. */
export const SORTS = sortsOf(COLUMNS);

const TAGS_SHOWN = 6;

interface HostTableProps {
  hosts: readonly Host[];
  silent: readonly SilentHost[];
  sort: string;
  onSort: (sort: string) => void;
}

/** The silent ones come first: they are what one looks for. */
export function HostTable({ hosts, silent, sort, onSort }: HostTableProps) {
  return (
    <div className={shared.tableBox} tabIndex={0} role="region" aria-label="Table of hosts">
      <table className={shared.table}>
        <TableHead columns={COLUMNS} sort={sort} onSort={onSort} />
        <tbody>
          {silent.map((host) => (
            <SilentRow key={host.host} host={host} />
          ))}
          {hosts.map((host) => (
            <HostRow key={host.host} host={host} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function HostRow({ host }: { host: Host }) {
  const cpu = host.numbers.cpu_total_percent?.sum;
  return (
    <tr>
      <td>
        <HostName name={host.host} />
      </td>
      <td>
        <State host={host} />
      </td>
      <td className={shared.number}>{formatCount(host.processes)}</td>
      <td className={shared.number}>{formatCores(cpu === null || cpu === undefined ? null : cpu / 100)}</td>
      <td className={shared.number}>{formatMeasure(host.numbers.rss_bytes?.sum, "bytes")}</td>
      <td>{host.agent_version === null ? UNKNOWN : brief(host.agent_version, 40)}</td>
      <td>{host.booted_at === null ? UNKNOWN : <Boot bootedAt={host.booted_at} seenAt={host.seen_at} />}</td>
      <td>
        <Tags tags={host.tags} />
      </td>
    </tr>
  );
}

/** Of its processes nothing is known now. */
function SilentRow({ host }: { host: SilentHost }) {
  return (
    <tr>
      <td>
        <HostName name={host.host} at={host.seen_at} />
      </td>
      <td>
        <State host={host} />
      </td>
      <td className={shared.number}>{UNKNOWN}</td>
      <td className={shared.number}>{UNKNOWN}</td>
      <td className={shared.number}>{UNKNOWN}</td>
      <td>{UNKNOWN}</td>
      <td>{UNKNOWN}</td>
      <td>
        <Tags tags={host.tags} />
      </td>
    </tr>
  );
}

/** A click shows its processes; those of a host that is silent at the moment when it told of them last. */
function HostName({ name, at }: { name: string; at?: number }) {
  const [view, patch] = useView();
  const show = () => {
    const others = view.tags.filter((term) => !/^host:/i.test(term));
    const then = at === undefined ? {} : { time: { mode: "at", at } as const };
    patch({ tags: [...others, termOf(`host:${name}`)], tab: "table", ...then });
  };
  const title = at === undefined ? `Show the processes of ${brief(name)}` : `Show the last processes of ${brief(name)}`;
  return (
    <button type="button" className={`${shared.link} ${classes.name}`} title={title} onClick={show}>
      <bdi>
        <MiddleCut text={brief(name)} />
      </bdi>
    </button>
  );
}

function State({ host }: { host: SilentHost }) {
  if (host.state === "up") return <>up</>;
  return (
    <span className={classes.quiet} data-state={host.state}>
      {host.state === "silent" ? "silent since " : "shut down, last seen "}
      <Moment seconds={host.seen_at} />
    </span>
  );
}

function Boot({ bootedAt, seenAt }: { bootedAt: number; seenAt: number }) {
  return (
    <>
      <Moment seconds={bootedAt} /> <span className={classes.since}>({formatDuration(seenAt - bootedAt)})</span>
    </>
  );
}

function Tags({ tags }: { tags: readonly string[] }) {
  if (tags.length === 0) return <>{UNKNOWN}</>;
  return (
    <span className={shared.text} title={brief(tags.join("  "), 1000)}>
      {tags.slice(0, TAGS_SHOWN).map((tag) => brief(tag, 60)).join(", ")}
      {tags.length > TAGS_SHOWN && ` +${tags.length - TAGS_SHOWN}`}
    </span>
  );
}
