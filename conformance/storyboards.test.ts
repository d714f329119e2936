import { describe, expect, it } from "vitest";
import { moveDates, yearsToMove } from "./storyboards";

describe("storyboards", () => {
  it("stay as published until their first flight begins, then move by whole years", () => {
    expect(["2026-03-31", "2026-04-01", "2026-12-01", "2027-03-31", "2027-04-01"].map((day) => yearsToMove(new Date(day)))).toEqual([0, 1, 1, 1, 2]);
  });

  it("keep what was past when they were written", () => {
    expect(moveDates('start: "2020-01-01T00:00:00Z"\nend: "2026-06-30T23:59:59Z"\nday: 2027-04-01\nid: mb_2026-04-x', 1)).toBe('start: "2020-01-01T00:00:00Z"\nend: "2027-06-30T23:59:59Z"\nday: 2028-04-01\nid: mb_2026-04-x');
  });
});
