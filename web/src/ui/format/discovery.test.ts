import { expect, test } from "vitest";

import { someProcess } from "../../test/processes";
import { discoveredTexts, foundByText, languageText, listensText, servicesText } from "./discovery";

test("what is not known is told apart from none", () => {
  expect(listensText({ tcp: null, udp: null })).toBe("–");
  expect(listensText({ tcp: [], udp: [] })).toBe("none");
  expect(servicesText(null)).toBe("–");
  expect(servicesText([])).toBe("none");
  expect(languageText(null)).toBe("–");
});

test("ports of UDP say so", () => {
  expect(listensText({ tcp: [80, 443], udp: [53] })).toBe("80, 443, udp 53");
});

test("languages have their names, and others are as they were sent", () => {
  expect([languageText("cpp"), languageText("zig")]).toEqual(["C++", "zig"]);
});

test("how a name was found is said in words", () => {
  expect([foundByText("dd_service"), foundByText("command_line"), foundByText(null)]).toEqual([
    "by DD_SERVICE",
    "by command line",
    "",
  ]);
});

test("each attribute that was found out has texts, and others have none", () => {
  const { attributes } = someProcess("01", {
    services: [{ name: "shop", found_by: "spring" }],
    tracers: [{ runtime_id: "c0ffee", service: null }],
    instrumented: true,
    injection: "injected",
  });

  expect(discoveredTexts(attributes, "services")).toEqual(["shop by spring"]);
  expect(discoveredTexts(attributes, "tracers")).toEqual(["c0ffee"]);
  expect(discoveredTexts(attributes, "instrumented")).toEqual(["yes"]);
  expect(discoveredTexts(attributes, "injection")).toEqual(["injected"]);
  expect(discoveredTexts(attributes, "exe")).toBeNull();
});
