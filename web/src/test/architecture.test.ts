/** The rooms of the page: imports point one way, and no folder grows too large to look through. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative, sep } from "node:path";

import { expect, test } from "vitest";

const SOURCES = normalize(join(import.meta.dirname, ".."));
const MOST_FILES = 15;

/** From the bottom up: a file imports from its own room and from those before it. */
const LAYERS = [
  ["api"],
  ["ui"],
  ["state"],
  [
    "compare",
    "containers",
    "export",
    "facets",
    "graphs",
    "groups",
    "hosts",
    "monitors",
    "panel",
    "scatter",
    "search",
    "signin",
    "table",
    "time",
    "views",
  ],
  ["app"],
  // A page of its own.
  ["account"],
];
const LAYER_OF = new Map(LAYERS.flatMap((rooms, layer) => rooms.map((room) => [room, layer] as const)));
const FOR_TESTS = "test";

const files = readdirSync(SOURCES, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(SOURCES, join(entry.parentPath, entry.name)));
const isTest = (file: string) => /\.test\.tsx?$/.test(file) || roomOf(file) === FOR_TESTS;

function roomOf(file: string): string {
  return file.split(sep)[0] ?? "";
}

/** What a file imports of ours, as paths without their ending. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(SOURCES, file), "utf8");
  const specifiers = text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*"(\.[^"]*)"/g);
  return Array.from(specifiers, ([, path = ""]) => normalize(join(dirname(file), path)));
}

test("every file is in a room that has a layer", () => {
  const rooms = new Set(files.map(roomOf));

  expect([...rooms].sort()).toEqual([...LAYER_OF.keys(), FOR_TESTS].sort());
});

test("no room imports one above it, and no tab another tab", () => {
  const wrong = files
    .filter((file) => /\.tsx?$/.test(file) && !isTest(file))
    .flatMap((file) => importsOf(file).map((imported) => [file, imported] as const))
    .filter(([file, imported]) => {
      const [room, other] = [roomOf(file), roomOf(imported)];
      return room !== other && (LAYER_OF.get(other) ?? Infinity) >= (LAYER_OF.get(room) ?? -1);
    })
    .map(([file, imported]) => `${file} imports ${imported}`);

  expect(wrong).toEqual([]);
});

test("the imports of the page are found", () => {
  const found = importsOf(join("app", "main.tsx"));

  expect(found).toContain(join("app", "App"));
  expect(found).toContain(join("app", "theme.css"));
  expect(importsOf(join("app", "shell", "Shell.tsx"))).toContain("groups");
});

test("no folder has more files than one can look through", () => {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);

  expect([...counts].filter(([, count]) => count > MOST_FILES)).toEqual([]);
});
