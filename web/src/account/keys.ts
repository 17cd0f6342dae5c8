/** The user's own keys: made, with the secret shown once, and revoked. */

import { get, send, serverNow } from "../api/client";
import type { Session } from "../api/monitors";
import { button, element, field, select, table } from "./element";
import { showMoment } from "./moments";
import { ask, form, messages, saying } from "./working";

interface OwnKey {
  id: string;
  name: string;
  scopes: string[];
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
}

const DAY = 86_400;
const LIFETIMES = [
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "A year"],
  ["", "Never"],
] as const;

export function keys(session: Session): HTMLElement {
  const place = messages();
  const list = element("div");
  const refresh = (): Promise<void> =>
    saying(place, async () => list.replaceChildren(keyTable(await ownKeys(), refresh)));
  void refresh();
  const intro = "An application key asks the API in your name. It can do no more than you, and ends when you are removed.";
  return element(
    "section",
    {},
    element("h2", {}, "My keys"),
    element("p", { class: "quiet" }, intro),
    newKey(session, refresh),
    place,
    list,
  );
}

async function ownKeys(): Promise<OwnKey[]> {
  return (await get<{ keys: OwnKey[] }>("/keys")).keys;
}

function newKey(session: Session, refresh: () => Promise<void>): HTMLElement {
  const name = element("input", { required: true, maxlength: "100", autocomplete: "off" });
  const lifetime = select(LIFETIMES, "90");
  const scopes = session.scopes.map((scope) => element("input", { type: "checkbox", value: scope }));
  const secret = element("div", { role: "status" });
  const make = async () => {
    const days = Number(lifetime.value);
    const made = await send<{ secret: string }>("POST", "/keys", {
      name: name.value,
      scopes: scopes.filter((scope) => scope.checked).map((scope) => scope.value),
      expires_at: days ? serverNow() + days * DAY : null,
    });
    secret.replaceChildren(shownOnce(made.secret));
    name.value = "";
    await refresh();
  };
  const choices = scopes.map((scope) => element("label", { class: "choice" }, scope, scope.value));
  const content = [
    field("Name", name),
    field("Expires", lifetime),
    element("fieldset", {}, element("legend", {}, "Besides reading processes"), ...choices),
  ];
  return element("div", {}, form("New key", "Make a key", content, make), secret);
}

function shownOnce(secret: string): HTMLElement {
  const code = element("code", {}, secret);
  const said = element("span", { class: "quiet" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      said.textContent = "Copied";
    } catch {
      // Without https there is no clipboard.
      getSelection()?.selectAllChildren(code);
      said.textContent = "Press Ctrl-C to copy";
    }
  };
  const line = element("p", {}, code, button("Copy", () => void copy(), "Copy the key"), said);
  return element("div", { class: "secret" }, element("p", {}, "The key, which is shown only now:"), line);
}

function keyTable(found: OwnKey[], refresh: () => Promise<void>): HTMLElement {
  const revoke = (key: OwnKey) => {
    const why = element("p", {}, "Programs that use it will be refused.");
    ask(`Revoke the key ${key.name}?`, [why], "Revoke", async () => {
      await send("DELETE", `/keys/${encodeURIComponent(key.id)}`);
      await refresh();
    });
  };
  const rows = found.map((key) => [
    key.name,
    key.scopes.join(", "),
    showMoment(key.created_at),
    key.expires_at === null ? "never" : showMoment(key.expires_at),
    showMoment(key.last_used_at) || "never",
    button("Revoke", () => revoke(key), `Revoke ${key.name}`),
  ]);
  const columns = ["Name", "Scopes", "Created", "Expires", "Last used", "Actions"];
  return table("My keys", columns, rows, "You have no keys.");
}
