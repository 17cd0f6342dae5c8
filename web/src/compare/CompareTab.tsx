/** Two instants, two hosts or two groups: what started, what ended, what changed. */

import { SegmentedControl } from "@mantine/core";
import { useState } from "react";

import type { Comparison } from "../api/types";
import { useInstant } from "../state/instant";
import { useView } from "../state/useView";
import { QueryResult } from "../ui/parts/QueryResult";
import { EmptyState } from "../ui/parts/EmptyState";
import shared from "../ui/parts/parts.module.css";
import { useApiQuery } from "../ui/parts/useApiQuery";
import classes from "./compare.module.css";
import { ComparisonResult, MAX_LISTED } from "./ComparisonResult";
import { MatchPicker } from "./MatchPicker";
import { compareParams, SUBJECTS, sidesOf, withSides, type Subject, type Sides } from "./sides";
import { SidesPicker } from "./SidesPicker";

const FIRST_LISTED = 100;
const SUBJECT_LABELS: Readonly<Record<Subject, string>> = { instants: "Instants", hosts: "Hosts", groups: "Groups" };

export function CompareTab() {
  const [view, patch] = useView();
  const instant = useInstant();
  const [limit, setLimit] = useState(FIRST_LISTED);
  const sides = sidesOf(view.extra);
  const change = (sides: Partial<Sides>) => patch({ extra: withSides(view.extra, sides) });
  const params = compareParams(sides, view, instant.at, limit);
  const query = useApiQuery<Comparison>("/compare", params ?? {}, {
    isMoving: instant.isLive,
    isEnabled: params !== null,
  });
  return (
    <section className={shared.tab} aria-label="Compare">
      <div className={`${shared.bar} ${classes.bar}`}>
        <SegmentedControl
          size="xs"
          aria-label="What is compared"
          data={SUBJECTS.map((subject) => ({ value: subject, label: SUBJECT_LABELS[subject] }))}
          value={sides.subject}
          onChange={(text) => change({ subject: SUBJECTS.find((subject) => subject === text) ?? "instants" })}
        />
        <SidesPicker key={sides.subject} sides={sides} at={instant.at} onChange={change} />
        <MatchPicker sides={sides} onChange={(match) => change({ match })} />
      </div>
      {params === null ? (
        <EmptyState title={sides.subject === "hosts" ? "Choose two hosts" : "Choose two groups"}>
          {sides.subject === "hosts"
            ? "Name a host on each side: what runs on one and not on the other is shown here."
            : "Name a tag on each side, such as version:1.0 and version:2.0: what only one of them runs is shown here."}
        </EmptyState>
      ) : (
        <QueryResult query={query} label="Comparing" isMoving={instant.isLive}>
          {(found) => <ComparisonResult found={found} onMore={limit < MAX_LISTED ? () => setLimit(MAX_LISTED) : undefined} />}
        </QueryResult>
      )}
    </section>
  );
}
