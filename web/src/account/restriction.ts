/** What a viewer sees: rows by tags, and command lines with or without arguments. */

import { send } from "../api/client";
import { element, field } from "./element";
import { ask } from "./working";

export interface Restriction {
  rows: string;
  without_arguments: boolean;
}

/** `only env:prod, no arguments`; `all` without a restriction. */
export function seenWith({ rows, without_arguments }: Restriction): string {
  const parts = [rows && `only ${rows}`, without_arguments && "no arguments"].filter(Boolean);
  return parts.join(", ") || "all";
}

/** Asks for another restriction in place of the one that there is, and sends it. */
export function askRestriction(name: string, present: Restriction, path: string, done: () => Promise<void>): void {
  const rows = element("input", { maxlength: "1000", autocomplete: "off", autocapitalize: "none", value: present.rows });
  const withoutArguments = element("input", { type: "checkbox", checked: present.without_arguments });
  const hint =
    "Processes that have all of these tags, such as env:prod,team:web; empty: all of them. The user has to sign in again.";
  const content = [
    element("p", {}, hint),
    field("Rows", rows),
    element("label", { class: "choice" }, withoutArguments, "Without arguments of command lines"),
  ];
  ask(`What may ${name} see?`, content, "Restrict", async () => {
    const restriction: Restriction = { rows: rows.value, without_arguments: withoutArguments.checked };
    await send("PATCH", path, { restriction });
    await done();
  });
}
