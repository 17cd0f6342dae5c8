import { useEffect, useRef, useState } from "react";

import { get } from "../../api/client";
import type { ProcessItem, Relatives } from "../../api/types";
import { useView } from "../../state/useView";
import { secondsOf } from "../../ui/format/times";
import shared from "../../ui/parts/parts.module.css";

/** The pid of the parent, which opens it. Who it was is asked once somebody wants to know: a pid alone does not tell. */
export function ParentLink({ process }: { process: ProcessItem }) {
  const [, patch] = useView();
  const [problem, setProblem] = useState("");
  const asking = useRef<AbortController | null>(null);
  // Whoever has gone on to another process does not want this one's parent any more.
  useEffect(() => () => asking.current?.abort(), [process.id]);
  const { ppid, timestamp } = process.attributes;
  if (ppid === 0) return <>none</>;

  const open = async () => {
    asking.current?.abort();
    const asked = new AbortController();
    asking.current = asked;
    try {
      const at = secondsOf(timestamp);
      const found = await get<Relatives>(`/processes/${process.id}/tree`, { at }, asked.signal);
      if (asked.signal.aborted) return;
      const parent = found.ancestors.find(({ attributes }) => attributes.pid === ppid);
      if (parent === undefined) setProblem("It was not seen.");
      else patch({ selected: parent.id });
    } catch (error) {
      if (!asked.signal.aborted) setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      <button type="button" className={shared.link} onClick={() => void open()}>
        pid {ppid}
      </button>{" "}
      <span role="status">{problem}</span>
    </>
  );
}
