/** What somebody writes into the form of a channel <-> what is sent. */

import { send } from "../../api/client";
import type { Channel, ChannelKind, Webhook } from "../../api/monitors";

export interface ChannelDraft {
  kind: ChannelKind;
  name: string;
  /** Addresses between commas, or the URL. */
  target: string;
  /** Of PagerDuty. */
  routingKey: string;
  payload: string;
  headers: string;
  encoding: Webhook["encode_as"];
}

export const NO_CHANNEL: ChannelDraft = {
  kind: "email",
  name: "",
  target: "",
  routingKey: "",
  payload: "",
  headers: "",
  encoding: "json",
};

export const WEBHOOKS = "/api/v1/integration/webhooks/configuration/webhooks";

/** Secrets are never shown: they are to be given anew. */
export function draftOfChannel(channel: Channel, webhook: Webhook | null): ChannelDraft {
  return {
    ...NO_CHANNEL,
    kind: channel.kind,
    name: channel.name,
    target: channel.addresses?.join(", ") ?? channel.url ?? "",
    payload: webhook?.payload ?? "",
    headers: webhook?.custom_headers ?? "",
    encoding: webhook?.encode_as ?? "json",
  };
}

function webhookBody(draft: ChannelDraft): Webhook {
  const { name, target, payload, headers, encoding } = draft;
  return {
    name,
    url: target.trim(),
    payload: payload.trim() === "" ? null : payload,
    custom_headers: headers.trim() === "" ? null : headers,
    encode_as: encoding,
  };
}

export function ownBody(draft: ChannelDraft): Record<string, unknown> {
  switch (draft.kind) {
    case "email":
      return { addresses: draft.target.split(",").map((one) => one.trim()).filter((one) => one !== "") };
    case "pagerduty":
      return { routing_key: draft.routingKey.trim() };
    default:
      return { url: draft.target.trim() };
  }
}

function pathOf({ kind, name }: Pick<ChannelDraft, "kind" | "name">): string {
  if (kind === "webhook") return `${WEBHOOKS}/${encodeURIComponent(name)}`;
  return `/channels/${kind}/${encodeURIComponent(name)}`;
}

/** Webhooks are kept by Datadog's routes, which tell making one from changing it. */
export function saveChannel(draft: ChannelDraft, isNew: boolean): Promise<unknown> {
  if (draft.kind !== "webhook") return send("PUT", pathOf(draft), ownBody(draft));
  return isNew ? send("POST", WEBHOOKS, webhookBody(draft)) : send("PUT", pathOf(draft), webhookBody(draft));
}

export function deleteChannel(channel: Channel): Promise<unknown> {
  return send("DELETE", pathOf(channel));
}
