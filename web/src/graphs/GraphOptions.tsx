import { SegmentedControl, Select } from "@mantine/core";

import { GroupByPicker } from "../state/grouping/GroupByPicker";
import { useView } from "../state/useView";
import { MEASURE_CHOICES } from "../ui/format/measures";
import shared from "../ui/parts/parts.module.css";
import type { GraphOptions as Options } from "./useGraphOptions";

/** What the graphs draw, and how. */
export function GraphOptions({ options }: { options: Options }) {
  const [view, patch] = useView();
  const { isGrouped, isStacked, limit, rank, set } = options;
  return (
    <div className={shared.bar}>
      <SegmentedControl
        size="xs"
        aria-label="Total or top groups"
        data={[
          { value: "total", label: "Total" },
          { value: "top", label: "Top groups" },
        ]}
        value={isGrouped ? "top" : "total"}
        onChange={(mode) => set("graphs", mode)}
      />
      {isGrouped && (
        <>
          <GroupByPicker label="Group by" value={view.by} onChange={(by) => patch({ by })} />
          <Select
            label="Top"
            size="xs"
            w={80}
            data={["5", "10", "20"]}
            value={String(limit)}
            allowDeselect={false}
            onChange={(value) => set("top", value)}
          />
          <Select
            label="Ranked by"
            size="xs"
            w={170}
            data={[{ value: "count", label: "Processes" }, ...MEASURE_CHOICES]}
            value={rank}
            allowDeselect={false}
            onChange={(value) => set("rank", value)}
          />
          <SegmentedControl
            size="xs"
            aria-label="Stacked or lines"
            data={[
              { value: "stacked", label: "Stacked" },
              { value: "lines", label: "Lines" },
            ]}
            value={isStacked ? "stacked" : "lines"}
            onChange={(style) => set("graphstyle", style)}
          />
        </>
      )}
    </div>
  );
}
