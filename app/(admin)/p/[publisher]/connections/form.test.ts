import { expect, test } from "vitest";
import { connectionForm } from "./form";

const FIELDS = {
  name: "Main network", kind: "google_ad_manager", mode: "simulated", currency: "usd", timeZone: "America/New_York", ratePerSecond: "", credentials: "",
  "config.networkCode": "4711", "config.traffickerId": "", credentialsFile: new File([], ""),
};
const parse = (changes: Record<string, unknown> = {}) => connectionForm.safeParse({ ...FIELDS, ...changes });

test("what is left empty and may be is absent; the currency is written large", () => {
  const { data } = parse();
  expect(data).toMatchObject({ name: "Main network", currency: "USD", config: { networkCode: "4711" } });
  expect(Object.keys(data ?? {})).not.toContain("ratePerSecond");
  expect(Object.keys(data?.config ?? {})).toEqual(["networkCode"]);
});

test("what is missing, no number, or too large to be a key is named", () => {
  const { error } = parse({ name: " ", ratePerSecond: "fast", credentialsFile: new File(["x".repeat(40_000)], "movie.mp4") });
  expect(Object.fromEntries(error?.issues.map((issue) => [issue.path.join("."), issue.message]) ?? [])).toEqual({
    name: "Enter a name.", ratePerSecond: "Enter a number.", credentialsFile: "This file is too large to be a key.",
  });
});

test("fields that the form does not have are refused", () => {
  expect(parse({ status: "verified" }).success).toBe(false);
});
