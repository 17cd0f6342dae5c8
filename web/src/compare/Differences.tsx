/** Who is on one side only, and what is not the same on both. */

import { useState } from "react";

import type { ChangedGroup, ChangedProcess, Comparison, Group, ProcessItem } from "../api/types";
import { useView } from "../state/useView";
import { Moment } from "../ui/format/Moment";
import { formatBytes, formatCount, formatPercent } from "../ui/format/numbers";
import { processName } from "../ui/format/processNames";
import { brief } from "../ui/format/text";
import { secondsOf } from "../ui/format/times";
import shared from "../ui/parts/parts.module.css";
import classes from "./compare.module.css";
import { alikeChanges, alikeProcesses, differenceOf, hostsOf, isComparable, type Alike, type FieldDifference } from "./alike/sameChanges";

export type DifferenceKind = "started" | "ended" | "changed";

export function Differences({ found, shown }: { found: Comparison; shown: DifferenceKind }) {
  const isOfProcesses = found.meta.match === "process";
  if (shown === "changed") {
    return isOfProcesses ? (
      <ChangedProcesses changed={found.changed as ChangedProcess[]} />
    ) : (
      <ChangedGroups changed={found.changed as ChangedGroup[]} />
    );
  }
  return isOfProcesses ? (
    <Processes processes={found[shown] as ProcessItem[]} />
  ) : (
    <Groups groups={found[shown] as Group[]} />
  );
}

function Processes({ processes }: { processes: readonly ProcessItem[] }) {
  return (
    <div className={shared.tableBox}>
      <table className={shared.table}>
        <thead>
          <tr>
            <th scope="col">Command</th>
            <th scope="col" className={shared.number}>
              Pid
            </th>
            <th scope="col">User</th>
            <th scope="col">Host</th>
            <th scope="col">Started</th>
            <th scope="col" className={shared.number}>
              CPU
            </th>
            <th scope="col" className={shared.number}>
              Memory
            </th>
          </tr>
        </thead>
        <tbody>
          {alikeProcesses(processes).map((one) => (
            <AlikeRows key={one.key} alike={one} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** One process, or several that are alike: in one row, below which each is shown on demand. */
function AlikeRows({ alike: { items } }: { alike: Alike<ProcessItem> }) {
  const [isOpen, setIsOpen] = useState(false);
  const [first, ...others] = items;
  if (others.length === 0) return <ProcessRow process={first} />;
  const sum = (measure: "cpu_total_percent" | "rss_bytes") =>
    items.reduce<number | null>((before, { attributes: { numbers } }) => {
      const number = numbers[measure];
      return number === null ? before : (before ?? 0) + number;
    }, null);
  return (
    <>
      <tr>
        <td>
          <button type="button" className={`${shared.link} ${shared.text}`} aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
            {isOpen ? "▾" : "▸"} <NameAndLine attributes={first.attributes} />
          </button>
        </td>
        <td className={shared.number}>{formatCount(items.length)} processes</td>
        <td>
          <bdi>{brief(first.attributes.user)}</bdi>
        </td>
        <td>
          <Hosts processes={items} />
        </td>
        <td />
        <td className={shared.number}>{formatPercent(sum("cpu_total_percent"))}</td>
        <td className={shared.number}>{formatBytes(sum("rss_bytes"))}</td>
      </tr>
      {isOpen && items.map((process) => <ProcessRow key={process.id} process={process} />)}
    </>
  );
}

function ProcessRow({ process: { id, attributes } }: { process: ProcessItem }) {
  return (
    <tr>
      <td>
        <ProcessName id={id} attributes={attributes} />
      </td>
      <td className={shared.number}>{attributes.pid}</td>
      <td>
        <bdi>{brief(attributes.user)}</bdi>
      </td>
      <td>
        <bdi>{brief(attributes.host)}</bdi>
      </td>
      <td>
        <Moment seconds={secondsOf(attributes.start)} />
      </td>
      <td className={shared.number}>{formatPercent(attributes.numbers.cpu_total_percent)}</td>
      <td className={shared.number}>{formatBytes(attributes.numbers.rss_bytes)}</td>
    </tr>
  );
}

const HOSTS_NAMED = 3;

/** The hosts of several processes: the first by name, and how many more. */
function Hosts({ processes }: { processes: readonly ProcessItem[] }) {
  const hosts = hostsOf(processes);
  const rest = hosts.length - HOSTS_NAMED;
  return (
    <span title={hosts.slice(0, 100).map((host) => brief(host, 200)).join("\n")}>
      <bdi>{hosts.slice(0, HOSTS_NAMED).map((host) => brief(host, 80)).join(", ")}</bdi>
      {rest > 0 && ` and ${formatCount(rest)} more`}
    </span>
  );
}

function NameAndLine({ attributes }: Pick<ProcessItem, "attributes">) {
  return (
    <>
      <bdi>{brief(processName(attributes))}</bdi>{" "}
      <span className={classes.quiet}>
        <bdi>{brief(attributes.cmdline, 300)}</bdi>
      </span>
    </>
  );
}

function ProcessName({ id, attributes }: Pick<ProcessItem, "id" | "attributes">) {
  const [, patch] = useView();
  return (
    <button
      type="button"
      className={`${shared.link} ${shared.text}`}
      title={brief(attributes.cmdline, 500)}
      onClick={() => patch({ selected: id })}
    >
      <NameAndLine attributes={attributes} />
    </button>
  );
}

function ChangedProcesses({ changed }: { changed: readonly ChangedProcess[] }) {
  return (
    <ul className={classes.changes}>
      {alikeChanges(changed).map((one) => (
        <SameChange key={one.key} alike={one} />
      ))}
    </ul>
  );
}

/** A change, and who has it. */
function SameChange({ alike: { items } }: { alike: Alike<ChangedProcess> }) {
  const [first, ...others] = items;
  const after = items.map((one) => one.after);
  return (
    <li>
      <p className={classes.who}>
        {others.length === 0 ? (
          <>
            <ProcessName id={first.after.id} attributes={first.after.attributes} /> <PidAndHost process={first.after} />
          </>
        ) : (
          <>
            <strong>
              <bdi>{brief(processName(first.after.attributes))}</bdi>
            </strong>{" "}
            <span className={classes.quiet}>
              {formatCount(items.length)} processes on <Hosts processes={after} />
            </span>
          </>
        )}
      </p>
      <dl className={classes.fields}>
        {first.fields.map((field) => (
          <div key={field}>
            <dt>{field}</dt>
            <dd>
              {others.length === 0 || isComparable(field) ? (
                <Texts {...differenceOf(first.before, first.after, field)} />
              ) : (
                <span className={classes.quiet}>another one on each host</span>
              )}
            </dd>
          </div>
        ))}
      </dl>
      {others.length > 0 && (
        <details className={classes.each}>
          <summary>Each of them</summary>
          <ul>
            {after.map((process) => (
              <li key={process.id}>
                <ProcessName id={process.id} attributes={process.attributes} /> <PidAndHost process={process} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

function PidAndHost({ process: { attributes } }: { process: ProcessItem }) {
  return (
    <span className={classes.quiet}>
      pid {attributes.pid} on <bdi>{brief(attributes.host)}</bdi>
    </span>
  );
}

/** Only what differs. */
function Texts({ gone, come }: FieldDifference) {
  return (
    <>
      {gone.map((text) => (
        <del key={text} className={classes.old}>
          <bdi>{text === "" ? "nothing" : brief(text, 1000)}</bdi>
        </del>
      ))}
      {come.map((text) => (
        <ins key={text} className={classes.new}>
          <bdi>{text === "" ? "nothing" : brief(text, 1000)}</bdi>
        </ins>
      ))}
    </>
  );
}

function Groups({ groups }: { groups: readonly Group[] }) {
  return (
    <div className={shared.tableBox}>
      <table className={shared.table}>
        <GroupHead columns={["Processes", "CPU", "Memory"]} />
        <tbody>
          {groups.map((group) => (
            <tr key={JSON.stringify(group.value)}>
              <td>
                <GroupName value={group.value} />
              </td>
              <td className={shared.number}>{formatCount(group.count)}</td>
              <td className={shared.number}>{formatPercent(group.numbers.cpu_total_percent?.sum)}</td>
              <td className={shared.number}>{formatBytes(group.numbers.rss_bytes?.sum)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ChangedGroups({ changed }: { changed: readonly ChangedGroup[] }) {
  return (
    <div className={shared.tableBox}>
      <table className={shared.table}>
        <GroupHead
          columns={["Left", "Right", "Difference", "CPU, left", "CPU, right", "Memory, left", "Memory, right"]}
        />
        <tbody>
          {changed.map(({ value, before, after }) => (
            <tr key={value}>
              <td>
                <GroupName value={value} />
              </td>
              <td className={shared.number}>{formatCount(before.count)}</td>
              <td className={shared.number}>{formatCount(after.count)}</td>
              <td className={shared.number}>{signed(after.count - before.count)}</td>
              <td className={shared.number}>{formatPercent(before.numbers.cpu_total_percent?.sum)}</td>
              <td className={shared.number}>{formatPercent(after.numbers.cpu_total_percent?.sum)}</td>
              <td className={shared.number}>{formatBytes(before.numbers.rss_bytes?.sum)}</td>
              <td className={shared.number}>{formatBytes(after.numbers.rss_bytes?.sum)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function GroupHead({ columns }: { columns: readonly string[] }) {
  return (
    <thead>
      <tr>
        <th scope="col">Command</th>
        {columns.map((column) => (
          <th key={column} scope="col" className={shared.number}>
            {column}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function GroupName({ value }: { value: string | null }) {
  return (
    <span className={shared.text} title={brief(value ?? "", 500)}>
      {value ? <bdi>{brief(value, 1000)}</bdi> : <em>empty</em>}
    </span>
  );
}

function signed(difference: number): string {
  return difference > 0 ? `+${formatCount(difference)}` : formatCount(difference).replace("-", "−");
}
