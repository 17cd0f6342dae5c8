import { describe, expect, it } from "vitest";

import { formatView, parseView, DEFAULT_VIEW } from "../state/view";
import { columnsOf } from "../table/columns/columns";
import { PRESETS } from "./presets";

describe.each(PRESETS)("the ready-made view $label", ({ view }) => {
  it("has columns that the table knows, each once", () => {
    expect(columnsOf(view.columns).map(({ id }) => id)).toEqual(view.columns);
    expect(new Set(view.columns).size).toBe(view.columns.length);
  });

  it("is the same after it was a link", () => {
    expect(parseView(formatView({ ...DEFAULT_VIEW, ...view }))).toMatchObject(view);
  });
});
