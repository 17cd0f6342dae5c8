/** Where in the tab somebody is, as the address has it. */

import { useView } from "../../state/useView";
import type { ViewState } from "../../state/view";

/** Where something is being written. */
export type FormPlace = { part: "new"; starter?: string } | { part: "edit" | "clone"; id: number };
export type Place = FormPlace | { part: "list" | "channels" | "starters" } | { part: "monitor"; id: number };

type Extra = ViewState["extra"];

export function placeOf(extra: Extra): Place {
  const part = extra.monitors ?? "";
  const id = Number(extra.monitor ?? "");
  if (part === "new") return extra.starter ? { part, starter: extra.starter } : { part };
  if (part === "channels" || part === "starters") return { part };
  if (!Number.isSafeInteger(id) || id <= 0) return { part: "list" };
  return { part: part === "edit" || part === "clone" ? part : "monitor", id };
}

/** The change of the view that leads there; the search and the time stay. */
export function towards(place: Place, extra: Extra): Pick<ViewState, "tab" | "extra"> {
  const part = place.part === "list" || place.part === "monitor" ? "" : place.part;
  const starter = place.part === "new" ? (place.starter ?? "") : "";
  const id = "id" in place ? String(place.id) : "";
  return { tab: "monitors", extra: { ...extra, monitors: part, monitor: id, starter } };
}

export function usePlace(): [Place, (place: Place) => void] {
  const [view, patch] = useView();
  return [placeOf(view.extra), (place) => patch(towards(place, view.extra))];
}
