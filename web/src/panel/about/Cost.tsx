import { Text } from "@mantine/core";

import type { ExitCost } from "../../api/types";
import { formatBytes } from "../../ui/format/numbers";
import classes from "./about.module.css";
import { cpuTimeText } from "./costText";
import { Fact } from "./Fact";

/** What a process used from its start to its end. */
export function Cost({ cost }: { cost: ExitCost }) {
  return (
    <>
      <dl className={classes.facts}>
        <Fact name="CPU time">{cpuTimeText(cost)}</Fact>
        <Fact name="Most memory">{formatBytes(cost.peak_rss_bytes)}</Fact>
        <Fact name="Read">{formatBytes(cost.read_bytes)}</Fact>
        <Fact name="Written">{formatBytes(cost.written_bytes)}</Fact>
      </dl>
      {!cost.is_final && (
        <Text size="xs" c="var(--ink-quiet)">
          CPU time, reads and writes are those of the last snapshot before its end
        </Text>
      )}
    </>
  );
}
