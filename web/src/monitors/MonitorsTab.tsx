/** Monitors: how they are, what happened, and how they are made; and the channels by which people are told. */

import { Button, SegmentedControl } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";

import { EmptyState } from "../ui/parts/EmptyState";
import { Loading } from "../ui/parts/Loading";
import shared from "../ui/parts/parts.module.css";
import { Channels } from "./channels/Channels";
import { FailingChannels } from "./channels/FailingChannels";
import { FormPage } from "./form/FormPage";
import { MonitorList } from "./list/MonitorList";
import { StarterList } from "./list/StarterList";
import { OneMonitor } from "./one/OneMonitor";
import { usePlace, type Place } from "./shared/place";
import { useScopes } from "./shared/useMonitorApi";

const PARTS = [
  { value: "list", label: "Monitors" },
  { value: "channels", label: "Channels" },
  { value: "starters", label: "Starters" },
];

export function MonitorsTab() {
  const [place, go] = usePlace();
  const scopes = useScopes();
  if (scopes === null) return <Loading label="Loading monitors" />;
  if (!scopes.has("monitors_read")) {
    return (
      <EmptyState title="Your key may not read monitors">
        Sign in with an application key that has the scope <code>monitors_read</code>: <code>procession keys create</code>{" "}
        makes one.
      </EmptyState>
    );
  }
  const mayWrite = scopes.has("monitors_write");
  return (
    <section className={shared.tab} aria-label="Monitors">
      <div className={shared.bar}>
        <SegmentedControl
          size="xs"
          aria-label="Part of the monitors"
          data={PARTS}
          value={place.part === "channels" || place.part === "starters" ? place.part : "list"}
          onChange={(part) => go({ part: part as "list" | "channels" | "starters" })}
        />
        <span className={shared.grow} />
        {place.part !== "new" && (
          <Button
            size="xs"
            disabled={!mayWrite}
            leftSection={<IconPlus size={14} aria-hidden="true" />}
            onClick={() => go({ part: "new" })}
          >
            Monitor this search
          </Button>
        )}
      </div>
      {!mayWrite && (
        <p className={shared.note}>
          You may look and change nothing: that takes a key with the scope <code>monitors_write</code>.
        </p>
      )}
      {place.part !== "channels" && <FailingChannels />}
      <Content place={place} mayWrite={mayWrite} />
    </section>
  );
}

function Content({ place, mayWrite }: { place: Place; mayWrite: boolean }) {
  switch (place.part) {
    case "list":
      return <MonitorList />;
    case "channels":
      return <Channels />;
    case "starters":
      return <StarterList mayWrite={mayWrite} />;
    case "monitor":
      return <OneMonitor key={place.id} id={place.id} mayWrite={mayWrite} />;
    default:
      return <FormPage key={JSON.stringify(place)} place={place} mayWrite={mayWrite} />;
  }
}
