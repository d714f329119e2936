import { beforeAll, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { callMcp, callRest, errorCode } from "@/test/fixtures/door";
import { createBuyer, createPublisher } from "@/test/fixtures/publisher";

useTestDatabase();
beforeAll(() => {
  process.env.DEMO = "0";
});

test("tokens of the demo open nothing outside it, even when a row for one exists", async () => {
  const publisher = await createPublisher({ token: "demo-acme-outdoor-v1" });
  const real = await createBuyer(publisher.tenantId);
  for (const call of [callMcp, callRest]) {
    const answer = await call("list_accounts", {}, { token: publisher.token });
    expect([answer.status, errorCode(answer)]).toEqual([401, "AUTH_REQUIRED"]);
    expect((await call("list_accounts", {}, { token: real.token })).status).toBe(200);
  }
});
