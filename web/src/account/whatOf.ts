/** A record of the audit trail in a line. */

export interface AuditRecord {
  kind: string;
  at?: number;
  expired_at?: number;
  who?: { key: string; name: string; session?: string };
  from?: string;
  method?: string;
  route?: string;
  asked?: Record<string, unknown>;
  status?: number;
  rows?: number;
  count?: number;
  changes?: Record<string, unknown>[];
  [name: string]: unknown;
}

/** What has a column of its own, and what is for programs. */
const ELSEWHERE = new Set(
  "number at expired_at kind who org_id from method route status rows count asked changes hash mac before after".split(" "),
);

export function whatOf(record: AuditRecord): string {
  const also = Object.entries(record).filter(([name]) => !ELSEWHERE.has(name));
  return [
    record.method,
    record.route,
    ...Object.entries(record.asked ?? {}).map(named),
    ...(record.changes ?? []).map(changed),
    ...also.map(named),
  ]
    .filter(Boolean)
    .join(" ");
}

function named([name, value]: [string, unknown]): string {
  return `${name}=${asText(value)}`;
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** `changed user bob {"role":"viewer"} → {"role":"editor"}` */
function changed(change: Record<string, unknown>): string {
  const sides = [change.before, change.after].filter((side) => side !== undefined).map(asText);
  return [change.action, change.kind, change.subject].map(asText).join(" ") + (sides.length ? ` ${sides.join(" → ")}` : "");
}
