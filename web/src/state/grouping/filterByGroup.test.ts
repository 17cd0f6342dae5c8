import { describe, expect, it } from "vitest";

import { quoteTerm } from "../language/quoteTerm";
import { filterByGroup } from "./filterByGroup";

const view = { search: "java", tags: ["env:prod"] };

describe("filtering by a group", () => {
  it("asks for the tag, or that it is not there", () => {
    expect(filterByGroup(view, "team", "shop")).toEqual({ search: "java", tags: ["env:prod", "team:shop"] });
    expect(filterByGroup(view, "team", "shop", true)?.tags).toEqual(["env:prod", "!team:shop"]);
  });

  it("asks for processes without the key where the group has no value", () => {
    expect(filterByGroup(view, "team", null)?.tags).toEqual(["env:prod", "!team:*"]);
  });

  it("searches for executables and command lines as they stand", () => {
    expect(filterByGroup(view, "exe", "/usr/bin/java")?.search).toBe('java "/usr/bin/java"');
    expect(filterByGroup({ ...view, search: "a OR b" }, "cmdline", 'say "x" \\')?.search).toBe(
      '(a OR b) "say \\"x\\" \\\\"',
    );
  });

  it("has no filter for what the API has none for", () => {
    expect(filterByGroup(view, "state", "S")).toBeNull();
    expect(filterByGroup(view, "ppid", "1")).toBeNull();
  });

  it("quotes quotes and backslashes", () => {
    expect(quoteTerm('a"b\\c')).toBe('"a\\"b\\\\c"');
  });
});
