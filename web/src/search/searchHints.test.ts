import { expect, test } from "vitest";

import { SearchHints } from "./searchHints";

const HINT = "search: '-nginx' is looked for with its -; to leave out what has it, write '!nginx'";
const params = { search: "-nginx", tags: "" };

test("a hint belongs to the search and the tags that it was given for", () => {
  const hints = new SearchHints();

  expect(hints.take("/processes", params, { meta: { known: true, hints: [HINT] } })).toBe(true);

  expect(hints.of("-nginx", [])).toEqual([HINT]);
  expect(hints.of("nginx", [])).toEqual([]);
  expect(hints.of("-nginx", ["env:prod"])).toEqual([]);
});

test("where any call has found something there is no hint", () => {
  const hints = new SearchHints();
  hints.take("/processes", params, { meta: { known: true, hints: [HINT] } });

  hints.take("/facets", params, { meta: { total: 3, known: true } });

  expect(hints.of("-nginx", [])).toEqual([]);
});

test("another query forgets the hints of the one before", () => {
  const hints = new SearchHints();
  hints.take("/facets", params, { meta: { total: 3 } });

  hints.take("/processes", { search: "-java", tags: "" }, { meta: { hints: [HINT] } });

  expect(hints.of("-java", [])).toEqual([HINT]);
});

test("calls without a search, and answers without a meta, say nothing", () => {
  const hints = new SearchHints();

  expect(hints.take("/tags", { prefix: "en" }, { meta: { hints: [HINT] } })).toBe(false);
  expect(hints.take("/processes", params, undefined)).toBe(false);
  expect(hints.take("/processes", params, { data: [] })).toBe(false);
});
