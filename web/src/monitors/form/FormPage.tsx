/** The form with what it begins with: the current search, a starter, a monitor, or a copy of one. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { get } from "../../api/client";
import type { MonitorBody, Starter } from "../../api/monitors";
import type { CheckedSearch } from "../../api/types";
import { comparedIn } from "../../state/language/ownLanguage";
import { isOfEnding } from "../../state/scope";
import { useView } from "../../state/useView";
import { brief } from "../../ui/format/text";
import { EmptyState } from "../../ui/parts/EmptyState";
import { QueryResult } from "../../ui/parts/QueryResult";
import classes from "../monitors.module.css";
import type { FormPlace } from "../shared/place";
import { useMonitor, useMonitorApi, useQueryParts } from "../shared/useMonitorApi";
import { cloneOf, draftOf, draftOfSearch, type Written } from "./draft";
import { MonitorForm } from "./MonitorForm";
import { carriedOf, type Carried } from "./queryText";

export function FormPage({ place, mayWrite }: { place: FormPlace; mayWrite: boolean }) {
  if (!mayWrite) return <EmptyState title="Your key may not change monitors" />;
  if (place.part === "new") return place.starter === undefined ? <OfSearch /> : <OfStarter id={place.starter} />;
  return <OfMonitor id={place.id} isClone={place.part === "clone"} />;
}

function OfSearch() {
  const [view] = useView();
  // The search in the bar may change while somebody writes; the form keeps what it began with.
  const [begun] = useState(view);
  const compares = useCompared(begun.search);
  return (
    <QueryResult query={compares} label="Reading the search" isMoving>
      {(found) => <OfCarried carried={carriedOf(begun, found)} />}
    </QueryResult>
  );
}

/** The words of a search that compare numbers of processes: no monitor can. How they ended is another thing. */
function useCompared(search: string) {
  const words = comparedIn(search);
  return useQuery({
    queryKey: ["compared", words],
    queryFn: async ({ signal }) => {
      const asked = words.map((word) => get<CheckedSearch>("/search", { search: word, language: "procession" }, signal));
      const found = await Promise.all(asked);
      const isNumber = (field: string) => !isOfEnding(field.replace(/:.*$/, ""));
      return new Set(words.filter((_, index) => found[index]?.compares.some(isNumber)));
    },
  });
}

function OfCarried({ carried }: { carried: Carried }) {
  return (
    <>
      {carried.leftOut.length > 0 && (
        <p className={classes.notice} role="alert">
          A monitor cannot carry {carried.leftOut.map((one) => brief(one, 200)).join(", ")}: it watches more processes than
          this search finds.
        </p>
      )}
      <MonitorForm title="Monitor this search" begin={draftOfSearch(carried)} id={null} />
    </>
  );
}

function OfStarter({ id }: { id: string }) {
  const starters = useMonitorApi<{ starters: Starter[] }>("/monitors/starters");
  return (
    <QueryResult query={starters} label="Loading the starter" isMoving>
      {(found) => {
        const starter = found.starters.find((one) => one.id === id);
        if (starter === undefined) return <EmptyState title="There is no such starter" />;
        return <OfBody body={starter.monitor} title="Begin with a starter" id={null} change={(written) => written} />;
      }}
    </QueryResult>
  );
}

function OfMonitor({ id, isClone }: { id: number; isClone: boolean }) {
  const monitor = useMonitor(id);
  return (
    <QueryResult query={monitor} label="Loading the monitor" isMoving>
      {(found) => (
        <OfBody
          body={found}
          title={isClone ? "Clone a monitor" : "Edit a monitor"}
          id={isClone ? null : id}
          change={isClone ? cloneOf : (written) => written}
        />
      )}
    </QueryResult>
  );
}

interface OfBodyProps {
  body: MonitorBody;
  title: string;
  id: number | null;
  change: (written: Written) => Written;
}

function OfBody({ body, title, id, change }: OfBodyProps) {
  const parts = useQueryParts(body.query);
  return (
    <QueryResult query={parts} label="Reading its query" isMoving>
      {(found) => <MonitorForm title={title} begin={change(draftOf(body, found))} id={id} />}
    </QueryResult>
  );
}
