/** The build leaves out what Mantine has of colours that no part of the page has. */

import { readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";

import { expect, test } from "vitest";

const SOURCES = normalize(join(import.meta.dirname, ".."));
const BUILD = readFileSync(join(SOURCES, "..", "vite.config.ts"), "utf8");
const LEFT_OUT = /--mantine-color-\(\?:([a-z|]+)\)/.exec(BUILD)?.[1] ?? "";

test("no part of the page has a colour that the build leaves out", () => {
  const isUsed = new RegExp(`--mantine-color-(?:${LEFT_OUT})\\b|["'\`](?:${LEFT_OUT})(?:\\.\\d)?["'\`]`);
  const found = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(tsx?|css)$/.test(file) && !/\.test\.tsx?$/.test(file))
    .filter((file) => isUsed.test(readFileSync(join(SOURCES, file), "utf8")));

  expect(LEFT_OUT.split("|")).toContain("pink");
  expect(isUsed.test('color="pink"')).toBe(true);
  expect(found).toEqual([]);
});
