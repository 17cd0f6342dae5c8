/** Who is on one side only, and what is not the same on both. */

import type { ChangedGroup, ChangedProcess, Comparison, Group, ProcessItem } from "../api/types";
import { useView } from "../state/useView";
import { Moment } from "../ui/format/Moment";
import { formatBytes, formatCount, formatPercent } from "../ui/format/numbers";
import { processName } from "../ui/format/processNames";
import { brief } from "../ui/format/text";
import { secondsOf } from "../ui/format/times";
import shared from "../ui/parts/parts.module.css";
import classes from "./compare.module.css";

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
          {processes.map(({ id, attributes }) => (
            <tr key={id}>
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
          ))}
        </tbody>
      </table>
    </div>
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
      <bdi>{brief(processName(attributes))}</bdi>{" "}
      <span className={classes.quiet}>
        <bdi>{brief(attributes.cmdline, 300)}</bdi>
      </span>
    </button>
  );
}

function ChangedProcesses({ changed }: { changed: readonly ChangedProcess[] }) {
  return (
    <ul className={classes.changes}>
      {changed.map(({ before, after, fields }) => (
        <li key={after.id}>
          <p className={classes.who}>
            <ProcessName id={after.id} attributes={after.attributes} />{" "}
            <span className={classes.quiet}>
              pid {after.attributes.pid} on <bdi>{brief(after.attributes.host)}</bdi>
            </span>
          </p>
          <dl className={classes.fields}>
            {fields.map((field) => (
              <div key={field}>
                <dt>{field}</dt>
                <dd>
                  <Texts before={valuesOf(before, field)} after={valuesOf(after, field)} />
                </dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ul>
  );
}

/** Only what differs: values of one side alone. */
function Texts({ before, after }: { before: readonly string[]; after: readonly string[] }) {
  const [old, current] = [new Set(before), new Set(after)];
  return (
    <>
      {before
        .filter((text) => !current.has(text))
        .map((text) => (
          <del key={text} className={classes.old}>
            <bdi>{text === "" ? "nothing" : brief(text, 1000)}</bdi>
          </del>
        ))}
      {after
        .filter((text) => !old.has(text))
        .map((text) => (
          <ins key={text} className={classes.new}>
            <bdi>{text === "" ? "nothing" : brief(text, 1000)}</bdi>
          </ins>
        ))}
    </>
  );
}

function valuesOf(process: ProcessItem, field: string): string[] {
  const value: unknown = Object.entries(process.attributes).find(([name]) => name === field)?.[1];
  if (Array.isArray(value)) return value.map(String);
  return [typeof value === "string" || typeof value === "number" ? String(value) : ""];
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
