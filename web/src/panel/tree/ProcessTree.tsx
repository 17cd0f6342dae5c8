import { Button } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useMemo, useState } from "react";

import type { Relatives, ProcessItem, TreeItem } from "../../api/types";
import { useInstant } from "../../state/instant";
import { ViewLink } from "../../state/links/ViewLink";
import { formatBytes, formatCount, formatPercent } from "../../ui/format/numbers";
import { processName } from "../../ui/format/processNames";
import { brief } from "../../ui/format/text";
import { QueryResult } from "../../ui/parts/QueryResult";
import shared from "../../ui/parts/parts.module.css";
import { useApiQuery } from "../../ui/parts/useApiQuery";
import classes from "./tree.module.css";
import { treeOf, treeRows, type TreeNode, type TreeRow } from "./treeRows";

const FIRST_ROWS = 100;
/** Deeper than this, rows are indented no further: the panel is narrow. */
const MAX_INDENT = 12;

/** Parents and children at the instant; for a process that has ended, when it was last seen. */
export function ProcessTree({ id, lastSeen }: { id: string; lastSeen: number | null }) {
  const instant = useInstant();
  const at = lastSeen ?? instant.at;
  const query = useApiQuery<Relatives>(`/processes/${id}/tree`, { at }, { isMoving: instant.isLive && lastSeen === null });
  return (
    <QueryResult query={query} label="Loading the process tree" isMoving={instant.isLive}>
      {(found) => <TreeList found={found} id={id} />}
    </QueryResult>
  );
}

function TreeList({ found, id }: { found: Relatives; id: string }) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [most, setMost] = useState(FIRST_ROWS);
  const tree = useMemo(
    () => treeOf([...found.ancestors, found.process, ...found.descendants].map(nodeOf)),
    [found],
  );
  const rows = treeRows(tree, closed, most + 1);
  const toggle = (key: string) => {
    const after = new Set(closed);
    if (!after.delete(key)) after.add(key);
    setClosed(after);
  };
  return (
    <>
      <p className={shared.note}>
        {formatCount(found.ancestors.length)} above it, {formatCount(found.descendants.length)} below it.
      </p>
      <ul className={classes.tree} aria-label="Parents and children">
        {rows.slice(0, most).map((row) => (
          <TreeNodeRow
            key={row.node.key}
            row={row}
            isThis={row.node.key === id}
            onToggle={() => toggle(row.node.key)}
          />
        ))}
      </ul>
      {rows.length > most && (
        <Button size="xs" variant="default" mt="xs" onClick={() => setMost(most * 5)}>
          Show more
        </Button>
      )}
    </>
  );
}

interface TreeNodeRowProps {
  row: TreeRow<TreeItem>;
  isThis: boolean;
  onToggle: () => void;
}

function TreeNodeRow({ row, isThis, onToggle }: TreeNodeRowProps) {
  const { node, level, descendants, isOpen } = row;
  const { numbers } = node.process.attributes;
  const Chevron = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <li
      className={classes.node}
      aria-current={isThis || undefined}
      style={{ paddingInlineStart: `${Math.min(level, MAX_INDENT) * 14}px` }}
    >
      {descendants > 0 ? (
        <button
          type="button"
          className={classes.expander}
          aria-expanded={isOpen}
          aria-label={`${isOpen ? "Hide" : "Show"} ${formatCount(descendants)} below ${node.pid}`}
          onClick={onToggle}
        >
          <Chevron size={14} aria-hidden="true" />
        </button>
      ) : (
        <span className={classes.expander} />
      )}
      <NodeName process={node.process} isThis={isThis} />
      <span className={classes.usage}>
        {!isOpen && descendants > 0 && <span>+{formatCount(descendants)}</span>}
        <span>{formatPercent(numbers.cpu_total_percent)}</span>
        <span>{formatBytes(numbers.rss_bytes)}</span>
      </span>
    </li>
  );
}

interface NodeNameProps {
  process: ProcessItem;
  isThis: boolean;
}

function NodeName({ process, isThis }: NodeNameProps) {
  const { attributes } = process;
  const content = (
    <>
      <span className={classes.quiet}>{attributes.pid}</span> <bdi>{brief(processName(attributes))}</bdi>{" "}
      <span className={classes.cmd}>
        <bdi>{brief(attributes.cmdline, 200)}</bdi>
      </span>
    </>
  );
  const title = attributes.cmdline.slice(0, 500);
  if (isThis) {
    return (
      <strong className={classes.nodeName} title={title}>
        {content}
      </strong>
    );
  }
  return (
    <ViewLink to={{ selected: process.id }} className={classes.nodeName} title={title}>
      {content}
    </ViewLink>
  );
}

function nodeOf(item: TreeItem): TreeNode<TreeItem> {
  return { process: item, key: item.id, pid: item.attributes.pid, ppid: item.attributes.ppid };
}
