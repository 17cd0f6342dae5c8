import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { get } from "../../api/client";
import type { ProcessItem, Relatives } from "../../api/types";
import { ViewLink } from "../../state/links/ViewLink";
import { processName } from "../../ui/format/processNames";
import { brief } from "../../ui/format/text";
import { secondsOf } from "../../ui/format/times";
import classes from "./about.module.css";

/** The parent by its name, as a link to it; by its pid alone until it is known who had that pid, or where nobody saw it. */
export function ParentLink({ process }: { process: ProcessItem }) {
  const { ppid, timestamp } = process.attributes;
  const at = secondsOf(timestamp);
  const found = useQuery({
    queryKey: ["parent", process.id, ppid, at],
    queryFn: ({ signal }) => get<Relatives>(`/processes/${process.id}/tree`, { at }, signal),
    enabled: ppid !== 0,
    // While the view is live its last sighting moves on.
    placeholderData: keepPreviousData,
  });
  if (ppid === 0) return <>none</>;
  const parent = found.data?.ancestors.find(({ attributes }) => attributes.pid === ppid);
  if (parent === undefined) {
    return (
      <>
        pid {ppid} {found.isSuccess && <span className={classes.quiet}>(not seen)</span>}
      </>
    );
  }
  return (
    <ViewLink to={{ selected: parent.id }} title={brief(parent.attributes.cmdline, 500)}>
      <bdi>{brief(processName(parent.attributes), 80)}</bdi> (pid {ppid})
    </ViewLink>
  );
}
