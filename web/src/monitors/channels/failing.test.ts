import { expect, test } from "vitest";

import type { Notification } from "../../api/monitors";
import { failingOf } from "./failing";

const NOW = 1_000_000;
const a = (change: Partial<Notification>): Notification => ({
  id: "1",
  channel: "slack-ops",
  monitor_id: 7,
  title: "",
  created_at: NOW - 60,
  delivery: "sent",
  attempts: 1,
  next_at: null,
  error: "",
  cycle_key: "",
  ...change,
});

test("a channel fails where its newest notification that was tried did not arrive", () => {
  const failed = a({ delivery: "failed", created_at: NOW - 5 });

  expect(failingOf([a({}), failed], NOW)).toEqual([failed]);
  expect(failingOf([failed, a({ created_at: NOW })], NOW)).toEqual([]);
});

test("what was not tried yet, and what is older than a day, says nothing", () => {
  expect(failingOf([a({ delivery: "waiting", attempts: 0 })], NOW)).toEqual([]);
  expect(failingOf([a({ delivery: "failed", created_at: NOW - 90_000 })], NOW)).toEqual([]);
});
