import { afterAll, beforeAll, expect, test } from "vitest";
import { ConfigurationError } from "@/lib/env";
import { resolveByDns } from "@/lib/webhooks/address";
import { useTestDatabase } from "@/test/db";
import { executing } from "./executing";
import { createRemoteBackground } from "./remote";

useTestDatabase();
beforeAll(() => {
  Object.assign(process.env, { INNGEST_BASE_URL: "http://127.0.0.1:9", INNGEST_EVENT_KEY: "key" });
});
afterAll(() => {
  for (const name of ["INNGEST_BASE_URL", "INNGEST_EVENT_KEY"]) delete process.env[name];
});

test("a server without a signing key is refused in words: its calls could be forged", () => {
  expect(() => createRemoteBackground({ needs: { ...executing, resolve: resolveByDns }, port: 0, host: "127.0.0.1" })).toThrow(ConfigurationError);
});
