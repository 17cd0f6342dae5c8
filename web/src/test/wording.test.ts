/** What the page no longer calls things. */

import { readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";

import { expect, test } from "vitest";

const SOURCES = normalize(join(import.meta.dirname, ".."));
const OLD = [
  /\bTravel in time\b/,
  /"Across"|"Up"/,
  /The usual ones/,
  /"Switches"|"Preempted"|"Reads"/,
  /As the view|As dragged/,
  /No process has it/,
  /In none that the agent knows of/,
  /Kernel.s name/,
  /restart procession up for another/,
  /"All seen"|"Running"/,
  /label: "Live \| Live"/,
];

test("no old name of a thing is left on the page", () => {
  const found = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
    .flatMap((file) => {
      const text = readFileSync(join(SOURCES, file), "utf8");
      return OLD.filter((word) => word.test(text)).map((word) => `${file}: ${word.source}`);
    });

  expect(found).toEqual([]);
});
