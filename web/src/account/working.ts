/** What goes wrong is said where it was asked for; a question is asked before what cannot be undone. */

import { ApiError } from "../api/client";
import { element, type Child } from "./element";

export function reasonOf(error: unknown): string {
  return error instanceof ApiError ? error.messages.join(" ") : String(error);
}

/** A place for what happened, which is read out. */
export function messages(): HTMLElement {
  return element("p", { class: "message", role: "status" });
}

/** Runs it, and says in `place` why it failed. */
export async function saying(place: HTMLElement, run: () => Promise<unknown>): Promise<void> {
  place.replaceChildren();
  try {
    await run();
  } catch (error) {
    place.textContent = reasonOf(error);
  }
}

/** A form whose content is sent by `run`, once at a time. What goes wrong is said below. */
export function form(name: string, action: string, content: Child[], run: () => Promise<void>): HTMLFormElement {
  const place = messages();
  const submit = element("button", { type: "submit", class: "main" }, action);
  const send = async () => {
    submit.disabled = true;
    await saying(place, run);
    submit.disabled = false;
  };
  const onSubmit = (event: Event) => {
    event.preventDefault();
    void send();
  };
  return element("form", { "aria-label": name, submit: onSubmit }, ...content, submit, place);
}

/** Asks in a window in front of the page. It closes once `run` has done it. */
export function ask(question: string, content: Child[], action: string, run: () => Promise<void>): void {
  const close = () => dialog.close();
  const done = async () => {
    await run();
    close();
  };
  const dialog: HTMLDialogElement = element(
    "dialog",
    { "aria-label": question, close: () => dialog.remove() },
    element("h3", {}, question),
    form(question, action, content, done),
    element("button", { type: "button", click: close }, "Cancel"),
  );
  document.body.append(dialog);
  dialog.showModal();
}
