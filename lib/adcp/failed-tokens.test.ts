import { beforeAll, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { callRest, errorCode } from "@/test/fixtures/door";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";

useTestDatabase();
let publisher: PublisherFixture;
beforeAll(async () => {
  publisher = await createPublisher();
});

const from = (address: string, token: string) => callRest("list_accounts", {}, { token, headers: { "x-forwarded-for": `203.0.113.9, ${address}` } });

test("an address that sends hundreds of wrong tokens is refused without a look; a token that worked lately still does, and other addresses do not notice", async () => {
  expect((await from("198.51.100.1", publisher.token)).status).toBe(200);
  const codes = new Map<string, number>();
  const startedAt = performance.now();
  // Some are forgiven every second: as many as it takes.
  for (let sent = 0; sent < 600 || (sent < 20_000 && !codes.has("RATE_LIMITED")); sent += 1) {
    const code = errorCode(await from("198.51.100.1", `gl_wrong-${sent}`));
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  expect([...codes.keys()].sort()).toEqual(["AUTH_REQUIRED", "RATE_LIMITED"]);
  expect(codes.get("AUTH_REQUIRED")).toBeGreaterThanOrEqual(300);
  expect(codes.get("AUTH_REQUIRED")).toBeLessThanOrEqual(300 + Math.ceil(((performance.now() - startedAt) / 1_000) * 5));
  expect((await from("198.51.100.1", publisher.token)).status).toBe(200);
  expect((await from("198.51.100.2", "gl_wrong")).status).toBe(401);
});
