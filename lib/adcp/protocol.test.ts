import { canonicalize, canonicalJsonSha256 } from "@adcp/sdk";
import { describe, expect, test } from "vitest";
import { AppError, ERROR_TABLE } from "../errors";
import { createLog } from "../log";
import { canonicalHash, canonicalJson } from "./canonical-json";
import { requestHash } from "./idempotency";
import { compileSchema } from "./schemas";
import { errorMetadata, errorPayload, toAppError } from "./wire-error";

process.env.LOG_LEVEL = "silent";

describe("typed errors", () => {
  test("codes and recovery are the protocol's", () => {
    const metadata = errorMetadata();
    for (const [code, { recovery }] of Object.entries(ERROR_TABLE)) {
      if (code === "INTERNAL_ERROR" || code === "IDEMPOTENCY_IN_FLIGHT") expect(metadata[code]).toBeUndefined();
      else expect([code, metadata[code]?.recovery]).toEqual([code, recovery]);
    }
  });

  test("both forms fit the protocol's error schema; its advice is the default", () => {
    const validate = compileSchema("core/error");
    for (const code of Object.keys(ERROR_TABLE)) {
      const payload = errorPayload(new AppError(isCode(code) ? code : "INTERNAL_ERROR", "Message.", { field: "packages[0].budget", retryAfterSeconds: 0, details: { issues: [{ pointer: "/a", message: "m", keyword: "k" }], x: 1 } }));
      const [first] = Array.isArray(payload.errors) ? payload.errors : [];
      for (const form of [payload.adcp_error, first]) expect(validate(form), JSON.stringify(validate.errors)).toBe(true);
    }
    expect(errorPayload(new AppError("RATE_LIMITED", "Slow.")).adcp_error).toMatchObject({ suggestion: "retry after the retry_after interval" });
  });

  test("a conflict of keys says nothing but its code", () => {
    expect(errorPayload(new AppError("IDEMPOTENCY_CONFLICT", "Used.", { field: "budget", details: { was: 1 } })).adcp_error).toEqual({ code: "IDEMPOTENCY_CONFLICT", message: "Used." });
  });

  test("waits that ended and lost connections are passing; anything else has an id and no words of its own", () => {
    const log = createLog();
    const wrapped = new Error("Failed query: secret", { cause: Object.assign(new Error("canceling statement due to lock timeout"), { code: "55P03" }) });
    expect(toAppError(wrapped, log)).toMatchObject({ code: "SERVICE_UNAVAILABLE", retryAfterSeconds: 1 });
    expect(toAppError(Object.assign(new Error("x"), { code: "ECONNREFUSED" }), log).code).toBe("SERVICE_UNAVAILABLE");
    const unknown = toAppError(new Error("password is hunter2"), log);
    expect(unknown.code).toBe("INTERNAL_ERROR");
    expect(JSON.stringify(errorPayload(unknown))).not.toContain("hunter2");
  });
});

describe("canonical requests", () => {
  const values = [{ b: [1, 2.5, -0, 1e21, 1e-7, 0.1], a: { "é": "\u0000\"\\\n", "\u20ac": null, "1": true } }, [], {}, "x", 12, null, { "\ud83d\ude00": 1, "\ufb33": 2, z: { y: [{}] } }];

  test("are those of RFC 8785, as the SDK writes them", () => {
    for (const value of values) {
      expect(canonicalJson(value)).toBe(canonicalize(value));
      expect(canonicalHash(value)).toBe(canonicalJsonSha256(value));
    }
  });

  test("do not depend on key order, key, context, refreshed tokens and webhook credentials", () => {
    const config = (credentials: string, url = "https://a.example") => ({ url, authentication: { schemes: ["Bearer"], credentials } });
    const base = { account: { account_id: "a" }, budget: 5, idempotency_key: "one", context: { a: 1 }, governance_context: "t1", push_notification_config: config("secret-1"), reporting_webhook: config("secret-1") };
    const same = { push_notification_config: config("secret-2"), reporting_webhook: config("secret-2"), idempotency_key: "two", budget: 5, account: { account_id: "a" } };
    expect(requestHash(same)).toBe(requestHash(base));
    for (const other of [{ ...base, budget: 6 }, { ...base, ext: {} }, { ...base, push_notification_config: config("secret-1", "https://b.example") }]) expect(requestHash(other)).not.toBe(requestHash(base));
  });
});

function isCode(code: string): code is keyof typeof ERROR_TABLE {
  return code in ERROR_TABLE;
}
