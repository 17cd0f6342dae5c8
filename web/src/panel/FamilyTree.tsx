import { Button } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useMemo, useState } from "react";

import type { Family, ProcessItem, TreeItem } from "../api/types";
import { formatBytes, formatCount, formatPercent } from "../format/numbers";
import { brief } from "../format/text";
import { Answer } from "../parts/Answer";
import shared from "../parts/parts.module.css";
import { useAnswer } from "../parts/useAnswer";
import { useInstant } from "../state/instant";
import { useView } from "../state/useView";
import { familyOf, familyRows, type Relative } from "./family";
import { nameOf } from "./names";
import classes from "./panel.module.css";

const FEW = 100;
/** Deeper than this, rows are indented no further: the panel is narrow. */
const MAX_INDENT = 12;

/** Parents and children at the instant, or where it is not there any more, when it was last seen. */
export function FamilyTree({ id, lastSeen }: { id: string; lastSeen: number | null }) {
  const instant = useInstant();
  const at = lastSeen ?? instant.at;
  const query = useAnswer<Family>(`/processes/${id}/tree`, { at }, { isMoving: instant.isLive && lastSeen === null });
  return (
    <Answer query={query} label="Looking for its relatives" isMoving={instant.isLive}>
      {(found) => <Tree found={found} id={id} />}
    </Answer>
  );
}

function Tree({ found, id }: { found: Family; id: string }) {
  const [, patch] = useView();
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [most, setMost] = useState(FEW);
  const family = useMemo(
    () => familyOf([...found.ancestors, found.process, ...found.descendants].map(relativeOf)),
    [found],
  );
  const rows = familyRows(family, closed, most + 1);
  const shown = rows.slice(0, most);
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
        {shown.map(({ relative, level, descendants, isOpen }) => (
          <li
            key={relative.key}
            className={classes.relative}
            aria-current={relative.key === id || undefined}
            style={{ paddingInlineStart: `${Math.min(level, MAX_INDENT) * 14}px` }}
          >
            {descendants > 0 ? (
              <button
                type="button"
                className={classes.twist}
                aria-expanded={isOpen}
                aria-label={`${isOpen ? "Hide" : "Show"} ${formatCount(descendants)} below ${relative.pid}`}
                onClick={() => toggle(relative.key)}
              >
                {isOpen ? (
                  <IconChevronDown size={14} aria-hidden="true" />
                ) : (
                  <IconChevronRight size={14} aria-hidden="true" />
                )}
              </button>
            ) : (
              <span className={classes.twist} />
            )}
            <RelativeName
              process={relative.process}
              isThis={relative.key === id}
              onOpen={(key) => patch({ selected: key })}
            />
            <span className={classes.usage}>
              {!isOpen && descendants > 0 && <span>+{formatCount(descendants)}</span>}
              <span>{formatPercent(relative.process.attributes.numbers.cpu_total_percent)}</span>
              <span>{formatBytes(relative.process.attributes.numbers.rss_bytes)}</span>
            </span>
          </li>
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

interface RelativeNameProps {
  process: ProcessItem;
  isThis: boolean;
  onOpen: (id: string) => void;
}

function RelativeName({ process, isThis, onOpen }: RelativeNameProps) {
  const { attributes } = process;
  const content = (
    <>
      <span className={classes.quiet}>{attributes.pid}</span> <bdi>{brief(nameOf(attributes))}</bdi>{" "}
      <span className={classes.cmd}>
        <bdi>{brief(attributes.cmdline, 200)}</bdi>
      </span>
    </>
  );
  const title = attributes.cmdline.slice(0, 500);
  if (isThis) {
    return (
      <strong className={classes.relativeName} title={title}>
        {content}
      </strong>
    );
  }
  return (
    <button
      type="button"
      className={`${shared.link} ${classes.relativeName}`}
      title={title}
      onClick={() => onOpen(process.id)}
    >
      {content}
    </button>
  );
}

function relativeOf(item: TreeItem): Relative<TreeItem> {
  return { process: item, key: item.id, pid: item.attributes.pid, ppid: item.attributes.ppid };
}
