import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";

import { patchView, useExtra, useView } from "./useView";

beforeEach(() => window.history.replaceState(null, "", "/"));

test("a change is in the address, and in all who look at the view", () => {
  const { result } = renderHook(() => useView()[0]);

  act(() => patchView({ search: "java", tab: "graphs" }));

  expect(window.location.search).toBe("?s=java&tab=graphs");
  expect(result.current.search).toBe("java");
});

test("the view is that of the address once the back button has changed it", () => {
  const { result } = renderHook(() => useView()[0]);

  act(() => {
    window.history.replaceState(null, "", "/?s=before");
    window.dispatchEvent(new PopStateEvent("popstate"));
  });

  expect(result.current.search).toBe("before");
});

test("what changes nothing makes no entry in the history", () => {
  const before = window.history.length;

  act(() => patchView({ search: "" }));

  expect(window.history.length).toBe(before);
});

test("a value of a tab's own leaves the address when it is the default again", () => {
  const { result } = renderHook(() => useExtra("x", "cpu"));

  act(() => result.current[1]("rss"));
  expect(window.location.search).toBe("?x.x=rss");
  act(() => result.current[1]("cpu"));

  expect(window.location.search).toBe("");
});
