import { expect, test } from "vitest";
import { safeReturnPath } from "./return-path";

test.each([
  ["/p/demo/media-buys?page=2", "/p/demo/media-buys?page=2"],
  ["/p/demo/../other", "/p/other"],
  [null, "/"],
  ["", "/"],
  ["p/demo", "/"],
  ["//evil.example/x", "/"],
  ["/\\evil.example", "/"],
  ["/\t/evil.example", "/"],
  ["/.//evil.example", "/"],
  ["https://evil.example/", "/"],
  ["javascript:alert(1)", "/"],
])("%s leads to %s", (given, expected) => {
  expect(safeReturnPath(given)).toBe(expected);
});
