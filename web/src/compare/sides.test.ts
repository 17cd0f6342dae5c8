import { describe, expect, it } from "vitest";

import { compareParams, sidesOf, withSides } from "./sides";

const view = { search: "java", tags: ["env:prod"] };

describe("sides of a comparison", () => {
  it("are an hour ago and now, unless said otherwise", () => {
    expect(compareParams(sidesOf({}), view, 10_000, 100)).toEqual({
      search: "java",
      language: "procession",
      tags: "env:prod",
      match: "process",
      limit: 100,
      at: 6400,
      other_at: 10_000,
    });
    expect(compareParams(sidesOf({ left: "5", right: "8" }), view, 10_000, 100)).toMatchObject({ at: 5, other_at: 8 });
  });

  it("are two hosts at the instant of the view", () => {
    const sides = sidesOf({ cmp: "hosts", left: "web-1", right: "web-2", match: "cmdline" });

    expect(compareParams(sides, view, 7, 50)).toEqual({
      search: "java",
      language: "procession",
      tags: "env:prod",
      match: "cmdline",
      limit: 50,
      at: 7,
      host: "web-1",
      other_host: "web-2",
    });
  });

  it("are two groups, each beside the filters of the view", () => {
    const sides = sidesOf({ cmp: "groups", left: "version:1", right: "version:2" });

    expect(compareParams(sides, view, 7, 50)).toMatchObject({
      tags: "env:prod,version:1",
      other_tags: "env:prod,version:2",
      match: "command",
    });
  });

  it("ask nothing as long as one is missing", () => {
    expect(compareParams(sidesOf({ cmp: "hosts", left: "web-1" }), view, 7, 50)).toBeNull();
  });

  it("are chosen anew with another subject, and leave nothing empty in the address", () => {
    const extra = { cmp: "hosts", left: "a", right: "b", match: "cmdline", x: "threads" };

    expect(withSides(extra, { subject: "groups" })).toEqual({ cmp: "groups", x: "threads" });
    expect(withSides(extra, { left: "" })).toEqual({ cmp: "hosts", right: "b", match: "cmdline", x: "threads" });
  });

  it("take nothing else from an address", () => {
    expect(sidesOf({ cmp: "evil", match: "evil" })).toEqual({
      subject: "instants",
      left: "",
      right: "",
      match: "process",
    });
    expect(compareParams(sidesOf({ left: "x" }), view, 10_000, 1)).toMatchObject({ at: 6400 });
  });
});
