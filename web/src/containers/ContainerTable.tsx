import type { Container } from "../api/types";
import { termOf } from "../state/filters";
import { useView } from "../state/useView";
import { formatMeasure } from "../ui/format/measures";
import { MiddleCut } from "../ui/format/MiddleCut";
import { Moment } from "../ui/format/Moment";
import { formatCores, formatCount, formatPercent, UNKNOWN } from "../ui/format/numbers";
import { brief } from "../ui/format/text";
import { secondsOf } from "../ui/format/times";
import shared from "../ui/parts/parts.module.css";
import { sortsOf, TableHead, type HeadColumns } from "../ui/parts/SortHeader";
import classes from "./containers.module.css";
import { nameOf } from "./nameOf";

const COLUMNS: HeadColumns = [
  ["Name", "name"],
  ["Image", "image_name"],
  ["Host", "host"],
  ["State", "state"],
  ["Started", "started_at"],
  ["CPU", "cpu_total_percent", true],
  ["Memory", "memory_usage_bytes", true],
  ["Throttled", "cpu_throttled_percent", true],
  ["OOM kills", "oom_kills", true],
  ["Processes", null, true],
];

/** What the server sorts containers by. */
export const SORTS = sortsOf(COLUMNS);

/** The part of a limit from which it is to be seen that it is near. */
const NEAR = 0.9;

interface ContainerTableProps {
  containers: readonly Container[];
  sort: string;
  onSort: (sort: string) => void;
  onOpen: (id: string, host: string) => void;
}

export function ContainerTable({ containers, sort, onSort, onOpen }: ContainerTableProps) {
  return (
    <div className={shared.tableBox} tabIndex={0} role="region" aria-label="Table of containers">
      <table className={shared.table}>
        <TableHead columns={COLUMNS} sort={sort} onSort={onSort} />
        <tbody>
          {containers.map((one) => (
            <ContainerRow key={`${one.attributes.host} ${one.id}`} container={one} onOpen={onOpen} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ContainerRow({ container, onOpen }: { container: Container; onOpen: ContainerTableProps["onOpen"] }) {
  const { id, attributes } = container;
  const { numbers } = attributes;
  const name = brief(nameOf(container));
  return (
    <tr>
      <td>
        <button
          type="button"
          className={`${shared.link} ${shared.text}`}
          title={`Show ${name} over time`}
          onClick={() => onOpen(id, attributes.host)}
        >
          <bdi>
            <MiddleCut text={name} />
          </bdi>
        </button>
      </td>
      <td>
        <Image container={container} />
      </td>
      <td>
        <bdi>{brief(attributes.host, 60)}</bdi>
      </td>
      <td>
        {attributes.state}
        {attributes.health !== "unknown" && `, ${attributes.health}`}
      </td>
      <td>{attributes.started_at === null ? UNKNOWN : <Moment seconds={secondsOf(attributes.started_at)} />}</td>
      <td className={shared.number}>
        <OfLimit used={numbers.cpu_total_percent} limit={numbers.cpu_limit_percent} format={coresOf} />
      </td>
      <td className={shared.number}>
        <OfLimit used={numbers.memory_usage_bytes} limit={numbers.memory_limit_bytes} format={bytesOf} />
      </td>
      <td className={shared.number}>{formatPercent(numbers.cpu_throttled_percent)}</td>
      <td className={shared.number}>
        <span className={(numbers.oom_kills ?? 0) > 0 ? classes.near : undefined}>{formatCount(numbers.oom_kills)}</span>
      </td>
      <td className={shared.number}>
        <Processes container={container} name={name} />
      </td>
    </tr>
  );
}

/** A click shows its processes in the table. */
function Processes({ container, name }: { container: Container; name: string }) {
  const [view, patch] = useView();
  const show = () => {
    const others = view.tags.filter((term) => !/^container_id:/i.test(term));
    // What the containers were searched for need not be in their processes.
    patch({ search: "", tags: [...others, termOf(`container_id:${container.id}`)], tab: "table" });
  };
  const count = container.attributes.processes;
  return (
    <button type="button" className={shared.link} aria-label={`Show the processes of ${name}: ${formatCount(count)}`} onClick={show}>
      {formatCount(count)}
    </button>
  );
}

function Image({ container }: { container: Container }) {
  const { image_name: image, image_tags: tags, image_digest: digest } = container.attributes;
  if (image === "") return <>{UNKNOWN}</>;
  const text = brief(tags.length > 0 ? `${image}:${tags.join(", ")}` : image);
  return (
    <bdi className={shared.text} title={brief(digest === "" ? text : `${text} ${digest}`, 1000)}>
      {text}
    </bdi>
  );
}

interface OfLimitProps {
  used: number | null;
  limit: number | null;
  format: (value: number | null) => string;
}

/** A limit that is not there, or not known, is left out. */
function OfLimit({ used, limit, format }: OfLimitProps) {
  const isNear = used !== null && limit !== null && used >= NEAR * limit;
  return (
    <>
      <span className={isNear ? classes.near : undefined}>{format(used)}</span>
      {limit !== null && ` of ${format(limit)}`}
    </>
  );
}

function coresOf(percent: number | null): string {
  return formatCores(percent === null ? null : percent / 100);
}

function bytesOf(bytes: number | null): string {
  return formatMeasure(bytes, "bytes");
}
