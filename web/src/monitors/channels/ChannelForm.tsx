import { Button, PasswordInput, Select, Textarea, TextInput } from "@mantine/core";
import { useState, type SyntheticEvent } from "react";

import type { ChannelKind } from "../../api/monitors";
import shared from "../../ui/parts/parts.module.css";
import classes from "../monitors.module.css";
import { Problem } from "../shared/Problem";
import { useChange } from "../shared/useMonitorApi";
import { saveChannel, type ChannelDraft } from "./channelBodies";

const KINDS: { value: ChannelKind; label: string }[] = [
  { value: "email", label: "E-mail" },
  { value: "slack", label: "Slack" },
  { value: "pagerduty", label: "PagerDuty" },
  { value: "alertmanager", label: "Alertmanager" },
  { value: "webhook", label: "Webhook" },
];

interface ChannelFormProps {
  begin: ChannelDraft;
  isNew: boolean;
  onDone: () => void;
}

interface FieldsProps {
  draft: ChannelDraft;
  set: (change: Partial<ChannelDraft>) => void;
}

export function ChannelForm({ begin, isNew, onDone }: ChannelFormProps) {
  const [draft, setDraft] = useState(begin);
  const saving = useChange((channel: ChannelDraft) => saveChannel(channel, isNew), onDone);
  const set = (change: Partial<ChannelDraft>) => setDraft({ ...draft, ...change });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    saving.mutate(draft);
  };
  return (
    <form onSubmit={submit} aria-label={isNew ? "Add a channel" : "Change a channel"}>
      <fieldset className={classes.fieldset}>
        <legend>{isNew ? "Add a channel" : "Change a channel"}</legend>
        <div className={classes.fields}>
          <Select
            size="xs"
            label="Kind"
            data={KINDS}
            value={draft.kind}
            disabled={!isNew}
            allowDeselect={false}
            onChange={(kind) => set({ kind: kind ?? draft.kind, target: "" })}
          />
          <TextInput
            size="xs"
            label="Name"
            description={`Called by @${draft.kind}-${draft.name || "NAME"}`}
            required
            disabled={!isNew}
            value={draft.name}
            onChange={(event) => set({ name: event.currentTarget.value })}
          />
        </div>
        <TargetField draft={draft} set={set} />
        {draft.kind === "webhook" && <WebhookFields draft={draft} set={set} />}
        <Problem error={saving.error} />
        <div className={shared.bar}>
          <Button size="xs" type="submit" loading={saving.isPending}>
            Save the channel
          </Button>
          <Button size="xs" variant="default" onClick={onDone}>
            Cancel
          </Button>
        </div>
      </fieldset>
    </form>
  );
}

function TargetField({ draft, set }: FieldsProps) {
  const target = { value: draft.target, required: true, size: "xs", spellCheck: false } as const;
  switch (draft.kind) {
    case "email":
      return (
        <TextInput
          {...target}
          label="Addresses"
          placeholder="ops@example.org, night@example.org"
          onChange={(event) => set({ target: event.currentTarget.value })}
        />
      );
    case "pagerduty":
      return (
        <PasswordInput
          size="xs"
          label="Routing key"
          description="Of an integration with Events v2. It is not shown again."
          required
          autoComplete="off"
          value={draft.routingKey}
          onChange={(event) => set({ routingKey: event.currentTarget.value })}
        />
      );
    case "slack":
      return (
        <PasswordInput
          {...target}
          label="URL"
          description="Of an incoming webhook. It is not shown again."
          autoComplete="off"
          onChange={(event) => set({ target: event.currentTarget.value })}
        />
      );
    default:
      return <TextInput {...target} label="URL" onChange={(event) => set({ target: event.currentTarget.value })} />;
  }
}

function WebhookFields({ draft, set }: FieldsProps) {
  return (
    <>
      <Textarea
        size="xs"
        label="Payload"
        description="JSON with variables such as $EVENT_TITLE; Datadog's own if it is empty"
        rows={4}
        value={draft.payload}
        onChange={(event) => set({ payload: event.currentTarget.value })}
      />
      <Textarea
        size="xs"
        label="Headers"
        description='A JSON object: {"authorization": "Bearer $TOKEN"}'
        rows={2}
        value={draft.headers}
        onChange={(event) => set({ headers: event.currentTarget.value })}
      />
      <Select
        size="xs"
        w={130}
        label="Sent as"
        data={["json", "form"]}
        value={draft.encoding}
        allowDeselect={false}
        onChange={(encoding) => set({ encoding: encoding === "form" ? "form" : "json" })}
      />
    </>
  );
}
