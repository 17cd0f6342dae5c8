import { expect, test } from "vitest";

import translations from "./oldSearches.json";
import { comparedIn, fromDatadog, withoutCompared } from "./ownLanguage";

// That both sides mean the same is what tests/search/test_old_searches.py says.
test.each(translations as [string, string][])("%j is written as %j in our own language", (datadog, ours) => {
  expect(fromDatadog(datadog)).toBe(ours);
});

test("what cannot be understood stays as it is", () => {
  expect(fromDatadog('an "open one')).toBe('an "open one');
});

test("what is translated stays as it is when it is translated again", () => {
  for (const [, ours] of translations as [string, string][]) expect(fromDatadog(ours)).toBe(ours);
});

test("words that may compare are found outside of quotes", () => {
  expect(comparedIn('java cpu>50 "rss>1" !exit_code:1 x>5 cpu>50')).toEqual(["cpu>50", "exit_code:1"]);
  expect(comparedIn('an "open one')).toEqual([]);
});

test("only from words that must all be there something can be left out", () => {
  expect(withoutCompared("a NOT cpu>5 AND !b", new Set(["cpu>5"]))).toBe("a !b");
  expect(withoutCompared("cpu>5", new Set(["cpu>5"]))).toBe("");
  expect(withoutCompared("a OR cpu>5", new Set(["cpu>5"]))).toBeNull();
  expect(withoutCompared("(a cpu>5)", new Set(["cpu>5"]))).toBeNull();
});
