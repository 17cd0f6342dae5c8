import { expect, test } from "vitest";

import { someProcess } from "../../test/processes";
import { alikeChanges, alikeProcesses, hostsOf } from "./sameChanges";

const on = (host: string, more = {}) => someProcess(`${host}${JSON.stringify(more)}`, { host, ...more });
const changed = (host: string, before: object, after: object, fields: string[]) => ({
  before: on(host, before),
  after: on(host, after),
  fields,
});

test("processes of the same command line and user are said once, with their hosts", () => {
  const found = alikeProcesses([on("b"), on("a", { cmdline: "other" }), on("a"), on("c", { user: "root" }), on("a", { pid: 9 })]);

  expect(found.map(({ items }) => hostsOf(items))).toEqual([["a", "b"], ["a"], ["c"]]);
});

test("changes are the same where the same values went and came", () => {
  const tags = (version: string) => ({ tags: ["command:java", `version:${version}`, "env:prod"] });
  const found = alikeChanges([
    changed("a", tags("1"), tags("2"), ["tags"]),
    changed("b", { ...tags("1"), pid: 8 }, { ...tags("2"), pid: 8 }, ["tags"]),
    changed("c", tags("1"), tags("3"), ["tags"]),
    changed("d", { user: "root" }, { user: "shop" }, ["user"]),
  ]);

  expect(found.map(({ items }) => items.length)).toEqual([2, 1, 1]);
});

test("the pids of parents differ from host to host, and do not make changes differ", () => {
  const found = alikeChanges([changed("a", { ppid: 1 }, { ppid: 2 }, ["ppid"]), changed("b", { ppid: 7 }, { ppid: 9 }, ["ppid"])]);

  expect(found).toHaveLength(1);
});
