import { expect, test } from "vitest";
import { addMs, DAY_MS, formatRelative, HOUR_MS, MINUTE_MS } from "./time";

test.each([
  [-5_000, "5 sec. ago"],
  [-4 * MINUTE_MS, "4 min. ago"],
  [-90 * MINUTE_MS, "1 hr. ago"],
  [30 * HOUR_MS, "in 30 hr."],
  [-47 * HOUR_MS, "47 hr. ago"],
  [3 * DAY_MS, "in 3 days"],
])("%d ms away is %s", (distanceMs, words) => {
  const now = new Date("2026-03-01T12:00:00Z");
  expect(formatRelative(addMs(now, distanceMs), now)).toBe(words);
});
