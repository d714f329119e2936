import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { withTenant } from "./db/client";
import { newId } from "./ids";
import { shownPath, toLogLine } from "./log";

useTestDatabase();

async function failedQuery(): Promise<unknown> {
  const secret = "whsec-do-not-log\nin two lines";
  return withTenant(newId(), (tx) => tx.execute(sql`select ${secret}::text, ${"next"}::int`)).catch((error: unknown) => error);
}

test("a failed statement is logged with its text and its cause, without what was sent with it", async () => {
  const error = await failedQuery();
  expect(String(error)).toContain("whsec-do-not-log");
  const line = toLogLine("error", "It failed.", { error, nested: { error } });
  expect(line).toContain("Failed query: select $1::text, $2::int");
  expect(line).toContain("invalid input syntax for type integer");
  expect(line).toContain("    at ");
  expect(line).not.toContain("whsec-do-not-log");
  expect(line).not.toContain("in two lines");
});

test("secrets in fields and in text are masked, however deep", () => {
  const line = toLogLine("error", "Sent Bearer abcdefgh12345678.", { buyer: { token: "demo-secret", tokens: { first: "demo-secret" } }, url: "postgresql://app:hunter2@db/x" });
  expect(line).not.toMatch(/abcdefgh|demo-secret|hunter2/);
});

test("a logged path holds no query and no link's secret", () => {
  expect(shownPath("/set-password/staff_abc?x=1")).toBe("/set-password/…");
  expect(shownPath("/previews/abc/def")).toBe("/previews/…");
  expect(shownPath("/p/demo/media-buys/1?token=2")).toBe("/p/demo/media-buys/1");
});
