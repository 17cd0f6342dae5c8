import { expect, test } from "vitest";

import type { ExitCost } from "../../api/types";
import { costText, cpuTimeText } from "./costText";

const COST: ExitCost = {
  cpu_user_seconds: 0.03,
  cpu_system_seconds: 0.01,
  peak_rss_bytes: 2 ** 20,
  read_bytes: null,
  written_bytes: 0,
  is_final: true,
};

test("CPU time is that of both, short ones with fractions", () => {
  expect(cpuTimeText(COST)).toBe("0.04 s");
  expect(cpuTimeText({ ...COST, cpu_user_seconds: 12 })).toBe("12.0 s");
  expect(cpuTimeText({ ...COST, cpu_user_seconds: 200 })).toBe("3 min 20 s");
  expect(cpuTimeText({ ...COST, cpu_user_seconds: 0, cpu_system_seconds: 0 })).toBe("0.00 s");
  expect(cpuTimeText({ ...COST, cpu_system_seconds: null })).toBe("–");
});

test("in a few words it says what is known, and nothing else", () => {
  expect(costText(COST)).toBe("0.04 s of CPU, at most 1.0 MiB");
  expect(costText({ ...COST, cpu_user_seconds: null })).toBe("at most 1.0 MiB");
  expect(costText({ ...COST, peak_rss_bytes: null })).toBe("0.04 s of CPU");
  expect(costText({ ...COST, cpu_user_seconds: null, peak_rss_bytes: null })).toBe("");
  expect(costText(null)).toBe("");
});
