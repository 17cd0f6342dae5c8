import { execFileSync } from "node:child_process";

import { expect, it } from "vitest";

import { shellLine } from "./shellLine";

it("leaves alone what a shell reads as it stands", () => {
  expect(shellLine(["/usr/bin/java", "-Xmx=1g", "a@b:1,2"])).toBe("/usr/bin/java -Xmx=1g a@b:1,2");
});

it.each([
  [["a b", "", "it's", "$(id) `id` \\ !x *"]],
  [["\u001b[201~\nid\n", "a\u202eb", "naïve\t1", "it's \\ ü7"]],
])("gives a shell the arguments that there were: %j", (args) => {
  const line = shellLine(args);
  const script = `printf '%s\\0' ${line}`;

  expect(line).toMatch(/^[ -~]*$/);
  expect(execFileSync("bash", ["-c", script], { encoding: "utf8" }).split("\0")).toEqual([...args, ""]);
});
