import { describe, expect, it } from "vitest";
import { judge, readAllowList } from "./allow-list";

const reason = "a reason of some length for it";
const skip = { storyboard: "signals", step: "Read signals", reason: "missing_tool", detail: "" };

describe("the list of allowed failures and skips", () => {
  it("is well formed", () => {
    expect(Object.keys(readAllowList())).toEqual(["failures", "skips"]);
  });

  it("explains what it names, and nothing else", () => {
    const allowed = { failures: { "a/one": reason }, skips: { signals: reason } };
    const failures = ["a/one", "a/two"].map((key) => ({ key, text: "" }));
    const verdict = judge(allowed, failures, [skip, { ...skip, storyboard: "other" }]);
    expect(verdict.unexplainedFailures.map(({ key }) => key)).toEqual(["a/two"]);
    expect(verdict.unexplainedSkips.map(({ storyboard }) => storyboard)).toEqual(["other"]);
    expect(verdict.stale).toEqual([]);
  });

  it("calls a line stale that explains nothing any more", () => {
    const verdict = judge({ failures: { "a/one": reason }, skips: { signals: reason, "signals: Read signals": reason } }, [], [skip]);
    expect(verdict.stale).toEqual(["a/one", "signals"]);
  });
});
