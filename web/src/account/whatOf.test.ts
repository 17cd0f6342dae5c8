import { expect, test } from "vitest";

import { momentOf, showMoment } from "./moments";
import { whatOf } from "./whatOf";

test("a record is a call with what was asked, or what was changed to what", () => {
  const asked = { kind: "request", number: 7, method: "GET", route: "/api/v2/processes", asked: { search: "nginx", limit: 5 }, status: 200 };
  const change = { kind: "user", subject: "bob", action: "changed", org_id: 1, before: { role: "viewer" }, after: { role: "editor" } };

  expect(whatOf(asked)).toBe("GET /api/v2/processes search=nginx limit=5");
  expect(whatOf({ kind: "request", method: "PATCH", route: "/x", changes: [change] })).toBe(
    'PATCH /x changed user bob {"role":"viewer"} → {"role":"editor"}',
  );
  expect(whatOf({ kind: "gap", hash: "ab", missed: 3, reason: "the disk is full" })).toBe("missed=3 reason=the disk is full");
});

test("a moment that is shown is the one that is read", () => {
  expect(showMoment(null)).toBe("");
  expect(momentOf(showMoment(1_772_460_067))).toBe(1_772_460_067);
  expect(momentOf("")).toBeNull();
  expect(momentOf("soon")).toBeNull();
});
