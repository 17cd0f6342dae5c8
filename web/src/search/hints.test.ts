import { expect, test } from "vitest";

import { Sayings } from "./hints";

const HINT = "search: '-nginx' is looked for with its -; to leave out what has it, write '!nginx'";
const params = { search: "-nginx", tags: "" };

test("a hint belongs to the search and the tags that it was given for", () => {
  const sayings = new Sayings();

  expect(sayings.take("/processes", params, { meta: { known: true, hints: [HINT] } })).toBe(true);

  expect(sayings.of("-nginx", [])).toEqual({ hints: [HINT] });
  expect(sayings.of("nginx", []).hints).toEqual([]);
  expect(sayings.of("-nginx", ["env:prod"]).hints).toEqual([]);
});

test("where any call has found something there is no hint", () => {
  const sayings = new Sayings();
  sayings.take("/processes", params, { meta: { known: true, hints: [HINT] } });

  sayings.take("/facets", params, { meta: { total: 3, known: true } });

  expect(sayings.of("-nginx", []).hints).toEqual([]);
});

test("another question forgets what was said of the one before", () => {
  const sayings = new Sayings();
  sayings.take("/facets", params, { meta: { total: 3 } });

  sayings.take("/processes", { search: "-java", tags: "" }, { meta: { hints: [HINT] } });

  expect(sayings.of("-java", []).hints).toEqual([HINT]);
});

test("calls without a search, and answers without a meta, say nothing", () => {
  const sayings = new Sayings();

  expect(sayings.take("/tags", { prefix: "en" }, { meta: { hints: [HINT] } })).toBe(false);
  expect(sayings.take("/processes", params, undefined)).toBe(false);
  expect(sayings.take("/processes", params, { data: [] })).toBe(false);
});
