import { Button, Select, Textarea, TextInput } from "@mantine/core";

import type { Channel } from "../../api/monitors";
import { brief } from "../../ui/format/text";
import shared from "../../ui/parts/parts.module.css";
import classes from "../monitors.module.css";
import { useMay, useMonitorApi } from "../shared/useMonitorApi";
import type { FieldsProps } from "./MonitorForm";

const PRIORITIES = [
  { value: "", label: "None" },
  { value: "1", label: "1, the highest" },
  ...["2", "3", "4"].map((value) => ({ value, label: value })),
  { value: "5", label: "5, the lowest" },
];

/** What is said, and to whom. */
export function MessageFields({ draft, set }: FieldsProps) {
  return (
    <fieldset className={classes.fieldset}>
      <legend>What is said, and to whom</legend>
      <TextInput
        size="xs"
        label="Name"
        required
        maxLength={1000}
        value={draft.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      <Textarea
        size="xs"
        label="Message"
        description="A template: {{value}}, {{host.name}}, {{reason}}, {{processes}}, {{#is_alert}}…{{/is_alert}}. @name calls a channel."
        rows={6}
        value={draft.message}
        onChange={(event) => set({ message: event.currentTarget.value })}
      />
      <Handles onChoose={(handle) => set({ message: `${draft.message.trimEnd()} ${handle}` })} />
      <div className={classes.fields}>
        <TextInput
          size="xs"
          label="Tags of the monitor"
          placeholder="team:web"
          value={draft.tags}
          onChange={(event) => set({ tags: event.currentTarget.value })}
        />
        <Select
          size="xs"
          label="Priority"
          data={PRIORITIES}
          value={draft.priority}
          allowDeselect={false}
          onChange={(priority) => set({ priority: priority ?? "" })}
        />
      </div>
    </fieldset>
  );
}

/** The channels, each a click away from the message; only an admin may see them. */
function Handles({ onChoose }: { onChoose: (handle: string) => void }) {
  const isAdmin = useMay("manage_integrations");
  const channels = useMonitorApi<{ channels: Channel[] }>("/channels", {}, isAdmin);
  if (!isAdmin) return <p className={shared.note}>Your key may not see which channels there are.</p>;
  const found = channels.data?.channels ?? [];
  if (found.length === 0) return <p className={shared.note}>There is no channel yet: until there is one, nobody is told.</p>;
  return (
    <div className={shared.bar} role="group" aria-label="Channels">
      {found.map(({ handle }) => (
        <Button key={handle} size="compact-xs" variant="default" onClick={() => onChoose(handle)}>
          <bdi>{brief(handle, 60)}</bdi>
        </Button>
      ))}
    </div>
  );
}
