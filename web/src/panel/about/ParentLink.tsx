import { useState } from "react";

import { get } from "../../api/client";
import type { ProcessItem, Relatives } from "../../api/types";
import { useView } from "../../state/useView";
import { secondsOf } from "../../ui/format/times";
import shared from "../../ui/parts/parts.module.css";

/** The pid of the parent, which opens it. Who it was is asked once somebody wants to know: a pid alone does not tell. */
export function ParentLink({ process }: { process: ProcessItem }) {
  const [, patch] = useView();
  const [problem, setProblem] = useState("");
  const { ppid, timestamp } = process.attributes;
  if (ppid === 0) return <>none</>;

  const open = async () => {
    try {
      const found = await get<Relatives>(`/processes/${process.id}/tree`, { at: secondsOf(timestamp) });
      const parent = found.ancestors.find(({ attributes }) => attributes.pid === ppid);
      if (parent === undefined) setProblem("It was not seen.");
      else patch({ selected: parent.id });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
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
