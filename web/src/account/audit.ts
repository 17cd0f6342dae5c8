/** Who asked and changed what: the audit trail of this server, for auditors. */

import { get, type Params } from "../api/client";
import { button, element, field, table, type Child } from "./element";
import { momentOf, showMoment } from "./moments";
import { form, messages, saying } from "./working";
import { whatOf, type AuditRecord } from "./whatOf";

interface AuditPage {
  meta: { page: { after: string } };
  data: AuditRecord[];
}

const PAGE_SIZE = 100;
const COLUMNS = ["Time", "Who", "From", "Kind", "Status", "Rows", "Count", "What"];

export function audit(): HTMLElement {
  const place = messages();
  const list = element("div");
  const fields = {
    who: element("input", { type: "search", maxlength: "1000" }),
    route: element("input", { type: "search", maxlength: "1000" }),
    text: element("input", { type: "search", maxlength: "1000" }),
    from: element("input", { type: "datetime-local", step: "1" }),
    to: element("input", { type: "datetime-local", step: "1" }),
  };
  const find = async () => {
    const { who, route, text, from, to } = fields;
    const when = { from: momentOf(from.value), to: momentOf(to.value) };
    await show(list, place, { who: who.value, route: route.value, text: text.value, ...when, limit: PAGE_SIZE }, []);
  };
  const content = [
    field("Who", fields.who),
    field("Call", fields.route),
    field("What", fields.text),
    field("From", fields.from),
    field("To", fields.to),
  ];
  void saying(place, find);
  const intro =
    "What keys and users of the org asked and changed on this server, the newest first. On the machine of the " +
    "server, the command procession audit verify checks that nobody has altered this record.";
  return element(
    "section",
    {},
    element("h2", {}, "Audit trail"),
    element("p", { class: "quiet" }, intro),
    form("Search the audit trail", "Search", content, find),
    place,
    list,
  );
}

/** Adds the next page to what was found before. */
async function show(list: HTMLElement, place: HTMLElement, asked: Params, before: AuditRecord[]): Promise<void> {
  const page = await get<AuditPage>("/audit", asked);
  const found = [...before, ...page.data];
  const after = page.meta.page.after;
  const more = () => saying(place, () => show(list, place, { ...asked, "page[cursor]": after }, found));
  list.replaceChildren(
    table("Audit trail", COLUMNS, found.map(rowOf), "Nothing was found."),
    ...(after ? [button("Older", () => void more())] : []),
  );
}

function rowOf(record: AuditRecord): Child[] {
  return [
    showMoment(record.at ?? record.expired_at),
    record.who?.name ?? "",
    record.from ?? "",
    record.kind,
    record.status ?? "",
    record.rows ?? "",
    record.count ?? "",
    element("span", { class: "what" }, whatOf(record)),
  ];
}
