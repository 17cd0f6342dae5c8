import { expect, test } from "vitest";

import { formatBytes, formatCores, formatDuration, formatPercent, formatPerSecond, formatShortCount } from "./numbers";
import { brief, visible } from "./text";
import { formatUtc, fromInputValue, secondsOf, toInputValue } from "./times";

test.each([
  [null, "–"],
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [1_048_575, "1.0 MiB"],
  [536_870_912, "512 MiB"],
  [34_359_738_368, "32.0 GiB"],
])("%s bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [undefined, "–"],
  [0, "0%"],
  [0.01, "<0.1%"],
  [99.96, "100.0%"],
  [212.5, "212.5%"],
  [45120.5, "45,121%"],
])("%s percent are %s", (percent, text) => {
  expect(formatPercent(percent)).toBe(text);
});

test.each([
  [7, "7"],
  [999, "999"],
  [1000, "1k"],
  [104_211, "104k"],
  [999_700, "1M"],
])("%i is %s in short", (count, text) => {
  expect(formatShortCount(count)).toBe(text);
});

test("rates and durations say their unit", () => {
  expect(formatPerSecond(0)).toBe("0/s");
  expect(formatPerSecond(1.25)).toBe("1.3/s");
  expect(formatDuration(100_000)).toBe("1 d 3 h");
  expect(formatDuration(60)).toBe("1 min");
  expect(formatDuration(0)).toBe("0 s");
});

test("moments of the API are UTC", () => {
  expect(secondsOf("2026-03-02T14:21:07")).toBe(1772461267);
  expect(formatUtc(1772461267)).toBe("2026-03-02 14:21:07 UTC");
});

test("a moment goes into an input and comes out of it the same", () => {
  expect(fromInputValue(toInputValue(1772461267))).toBe(1772461267);
  expect(fromInputValue("")).toBeNull();
  expect(fromInputValue("soon")).toBeNull();
});

test("what cannot be seen is shown as what it is", () => {
  expect(visible("a\u001b[31m\u202eb\u0000\n")).toBe("a␛[31m⟨202E⟩b␀↵");
  expect(visible("Zoë 漢字 🦀")).toBe("Zoë 漢字 🦀");
});

test("a cell holds only so much of a long text", () => {
  expect(brief("x".repeat(1_000_000))).toHaveLength(401);
});

test.each([
  [null, "–"],
  [0, "0 cores"],
  [0.254, "0.25 cores"],
  [1, "1 core"],
  [12.34, "12.3 cores"],
  [500, "500 cores"],
  [12_345.6, "12,346 cores"],
])("%s cores are %s", (cores, text) => {
  expect(formatCores(cores)).toBe(text);
});
