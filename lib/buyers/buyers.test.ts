import { generateKeyPairSync } from "node:crypto";
import { and, eq } from "drizzle-orm";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { callRest, errorCode } from "@/test/fixtures/door";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff, failure, lastAudit } from "@/test/staff";
import { auditLog } from "../audit/schema";
import { withTenant } from "../db/client";
import { newId } from "../ids";
import { addMs, DAY_MS, HOUR_MS } from "../time";
import { registerSigningKeys, revokeSigningKey } from "./key-service";
import { listPrincipals, loadPrincipal } from "./queries";
import { principalTokens } from "./schema";
import { archivePrincipal, createPrincipal, renamePrincipal } from "./service";
import { issueToken, revokeToken, rotateToken } from "./token-service";
import { hashToken } from "./tokens";

useTestDatabase();

let publisher: PublisherFixture;
let other: PublisherFixture;
beforeAll(async () => {
  publisher = await createPublisher();
  other = await createPublisher();
});

let made = 0;
async function makeBuyer(): Promise<{ id: string; name: string }> {
  made += 1;
  const name = `Agency ${made}`;
  return { ...(await asStaff(publisher.tenantId, "admin", (ctx) => createPrincipal(ctx, { name, isSandbox: false }))), name };
}
const issue = (principalId: string, changes: { scopes?: string[]; expiresAt?: Date | null } = {}, now = new Date()) =>
  asStaff(publisher.tenantId, "admin", (ctx) => issueToken(ctx, { principalId, name: "Production", scopes: ["*"], expiresAt: null, ...changes }), now);
const load = (id: string) => asStaff(publisher.tenantId, "viewer", (ctx) => loadPrincipal(ctx, id));
const list = (changes: Partial<Parameters<typeof listPrincipals>[1]> = {}) =>
  asStaff(publisher.tenantId, "viewer", (ctx) => listPrincipals(ctx, { page: 1, pageSize: 50, search: "", state: "active", sort: "name", direction: "asc", ...changes }));
const statusOf = async (token: string) => (await callRest("list_accounts", {}, { token })).status;
const jwk = (changes: Record<string, unknown> = {}) => ({ ...generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }), kid: `key-${newId()}`, alg: "EdDSA", adcp_use: "request-signing", ...changes });
const register = (principalId: string, value: unknown, tenantId = publisher.tenantId) => asStaff(tenantId, "admin", (ctx) => registerSigningKeys(ctx, { principalId, keys: typeof value === "string" ? value : JSON.stringify(value) }));

describe("buyers", () => {
  test("are made, renamed and archived by administrators alone, each with an audit entry", async () => {
    const { id, name } = await makeBuyer();
    expect(await lastAudit(publisher.tenantId, "buyer")).toMatchObject({ action: "buyer.created", objectId: id, actorLabel: "Test admin" });
    for (const role of ["trafficker", "viewer"] as const) {
      const attempts = [
        () => asStaff(publisher.tenantId, role, (ctx) => createPrincipal(ctx, { name: "Nobody's", isSandbox: false })),
        () => asStaff(publisher.tenantId, role, (ctx) => renamePrincipal(ctx, { id, name: "Nobody's", seen: "" })),
        () => asStaff(publisher.tenantId, role, (ctx) => archivePrincipal(ctx, { id })),
        () => asStaff(publisher.tenantId, role, (ctx) => issueToken(ctx, { principalId: id, name: "", scopes: ["*"], expiresAt: null })),
        () => asStaff(publisher.tenantId, role, (ctx) => registerSigningKeys(ctx, { principalId: id, keys: "{}" })),
      ];
      for (const attempt of attempts) expect((await failure(attempt())).code).toBe("PERMISSION_DENIED");
    }
    await asStaff(publisher.tenantId, "admin", (ctx) => renamePrincipal(ctx, { id, name: `${name} Ltd`, seen: name }));
    expect((await load(id)).name).toBe(`${name} Ltd`);
    await asStaff(publisher.tenantId, "admin", (ctx) => archivePrincipal(ctx, { id }));
    expect((await load(id)).archivedAt).not.toBeNull();
    expect((await failure(issue(id))).code).toBe("REFERENCE_NOT_FOUND");
  });

  test("of one publisher do not exist for another's staff", async () => {
    const { id } = await makeBuyer();
    const { tokenId } = await issue(id);
    const unknown = await failure(asStaff(other.tenantId, "admin", (ctx) => loadPrincipal(ctx, newId())));
    const foreign = await failure(asStaff(other.tenantId, "admin", (ctx) => loadPrincipal(ctx, id)));
    expect({ ...foreign }).toEqual({ ...unknown });
    for (const attempt of [
      () => asStaff(other.tenantId, "admin", (ctx) => archivePrincipal(ctx, { id })),
      () => asStaff(other.tenantId, "admin", (ctx) => revokeToken(ctx, { tokenId })),
      () => asStaff(other.tenantId, "admin", (ctx) => rotateToken(ctx, { tokenId, overlapHours: 1, expiresAt: null })),
      () => register(id, jwk(), other.tenantId),
    ]) expect((await failure(attempt())).code).toBe("REFERENCE_NOT_FOUND");
  });

  test("have names of their own", async () => {
    const { name } = await makeBuyer();
    expect(await failure(asStaff(publisher.tenantId, "admin", (ctx) => createPrincipal(ctx, { name: name.toUpperCase(), isSandbox: true })))).toMatchObject({ code: "VALIDATION_ERROR", field: "name" });
  });

  test("are listed with what they have, found by name, and counted", async () => {
    const { id, name } = await makeBuyer();
    await issue(id);
    await revoke((await issue(id)).tokenId);
    await register(id, jwk());
    const { rows, counts } = await list({ search: name });
    expect(rows).toEqual([expect.objectContaining({ id, name, workingTokenCount: 1, signingKeyCount: 1, accountCount: 0, lastUsedAt: null })]);
    expect(counts).toEqual({ active: 1, archived: 0 });
    expect((await list({ search: "%" })).rows).toEqual([]);
  });
});

const revoke = (tokenId: string) => asStaff(publisher.tenantId, "admin", (ctx) => revokeToken(ctx, { tokenId }));

describe("tokens", () => {
  test("open the door; only their hash and their first characters are stored, and no record holds more", async () => {
    const { id } = await makeBuyer();
    const { tokenId, token, prefix } = await issue(id, { scopes: ["orders:read", "orders:read", "accounts:read"] });
    expect(await statusOf(token)).toBe(200);
    const [row] = await withTenant(publisher.tenantId, (tx) => tx.select().from(principalTokens).where(and(eq(principalTokens.tenantId, publisher.tenantId), eq(principalTokens.id, tokenId))));
    expect(row).toMatchObject({ prefix, scopes: ["accounts:read", "orders:read"], name: "Production" });
    expect(row?.tokenHash.equals(hashToken(token))).toBe(true);
    const records = await withTenant(publisher.tenantId, (tx) => tx.select().from(auditLog).where(eq(auditLog.tenantId, publisher.tenantId)));
    expect(JSON.stringify([records, await load(id)])).not.toContain(token.slice(0, 20));
  });

  test("need a known permission, and an end that is not past", async () => {
    const { id } = await makeBuyer();
    for (const scopes of [[], ["orders:delete"]]) expect((await failure(issue(id, { scopes }))).code).toBe("VALIDATION_ERROR");
    expect(await failure(issue(id, { expiresAt: new Date(Date.now() - 1) }))).toMatchObject({ code: "VALIDATION_ERROR", field: "expiresAt" });
  });

  test("end when they expire, are revoked, or their buyer is archived", async () => {
    const { id } = await makeBuyer();
    // Issued two days ago for one day.
    const expired = await issue(id, { expiresAt: new Date(Date.now() - DAY_MS) }, new Date(Date.now() - 2 * DAY_MS));
    const revoked = await issue(id);
    const kept = await issue(id);
    await revoke(revoked.tokenId);
    await revoke(revoked.tokenId);
    expect([await statusOf(expired.token), await statusOf(revoked.token), await statusOf(kept.token)]).toEqual([401, 401, 200]);
    expect((await load(id)).tokens.map(({ id: tokenId, state }) => [tokenId, state])).toEqual(expect.arrayContaining([[expired.tokenId, "expired"], [revoked.tokenId, "revoked"], [kept.tokenId, "working"]]));
    await asStaff(publisher.tenantId, "admin", (ctx) => archivePrincipal(ctx, { id }));
    expect(errorCode(await callRest("list_accounts", {}, { token: kept.token }))).toBe("AUTH_REQUIRED");
  });

  test("rotate: both work during the overlap, the old one no longer than it would have, and only once", async () => {
    const { id } = await makeBuyer();
    const old = await issue(id, { scopes: ["accounts:read"], expiresAt: addMs(new Date(), 2 * HOUR_MS) });
    const rotate = (tokenId: string, overlapHours: number) => asStaff(publisher.tenantId, "admin", (ctx) => rotateToken(ctx, { tokenId, overlapHours, expiresAt: null }));
    const next = await rotate(old.tokenId, 24);
    expect(next.oldWorksUntil).toEqual(old.expiresAt);
    expect([await statusOf(old.token), await statusOf(next.token)]).toEqual([200, 200]);
    expect((await load(id)).tokens.map(({ prefix, state, scopes }) => ({ prefix, state, scopes }))).toEqual(expect.arrayContaining([
      { prefix: old.prefix, state: "replaced", scopes: ["accounts:read"] }, { prefix: next.prefix, state: "working", scopes: ["accounts:read"] },
    ]));
    expect((await failure(rotate(old.tokenId, 1))).code).toBe("INVALID_STATE");
    const last = await rotate(next.tokenId, 0);
    expect([await statusOf(next.token), await statusOf(last.token)]).toEqual([401, 200]);
    expect((await failure(rotate(next.tokenId, 1))).code).toBe("INVALID_STATE");
  });

  test("two rotations at once: one wins", async () => {
    const { id } = await makeBuyer();
    const { tokenId } = await issue(id);
    const results = await Promise.allSettled([1, 2].map(() => asStaff(publisher.tenantId, "admin", (ctx) => rotateToken(ctx, { tokenId, overlapHours: 1, expiresAt: null }))));
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect((await load(id)).tokens).toHaveLength(2);
  });
});

describe("signing keys", () => {
  test("are registered from a JWK or a set, once, and keep nothing but the public half", async () => {
    const { id } = await makeBuyer();
    const first = jwk();
    const second = { ...generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" }), kid: `key-${newId()}`, comment: "from our vault" };
    expect(await register(id, { keys: [first, second] })).toEqual({ registered: [first.kid, second.kid] });
    expect(await register(id, first)).toEqual({ registered: [] });
    expect((await load(id)).keys.map(({ kid, algorithm }) => [kid, algorithm])).toEqual(expect.arrayContaining([[first.kid, "EdDSA"], [second.kid, "ES256"]]));
  });

  test.each([
    ["not JSON", "kid=1"],
    ["an empty set", { keys: [] }],
    ["a private key", { ...generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }), kid: "a" }],
    ["a symmetric key", { kty: "oct", k: "AAAA", kid: "a" }],
    ["an RSA key", { ...generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" }), kid: "a" }],
    ["a curve that is not the algorithm's", jwk({ alg: "ES256" })],
    ["a point that is not on the curve", { kty: "EC", crv: "P-256", kid: "a", x: "AAAA", y: "AAAA" }],
    ["a key for another purpose", jwk({ adcp_use: "governance-signing" })],
    ["a key that may not verify", jwk({ key_ops: ["sign"] })],
    ["a key id that could break a header", jwk({ kid: 'a"b' })],
    ["two keys with one id", [jwk({ kid: "twin" }), jwk({ kid: "twin" })]],
  ])("%s is refused in words", async (_what, value) => {
    expect(await failure(register((await makeBuyer()).id, value))).toMatchObject({ code: "VALIDATION_ERROR", field: "keys" });
  });

  test("a key id is one key of one buyer, also after it was revoked; another publisher may know it as well", async () => {
    const [{ id }, { id: rival }] = [await makeBuyer(), await makeBuyer()];
    const key = jwk();
    await register(id, key);
    expect((await failure(register(rival, key))).code).toBe("VALIDATION_ERROR");
    expect((await failure(register(id, jwk({ kid: key.kid })))).code).toBe("VALIDATION_ERROR");
    const elsewhere = await createBuyer(other.tenantId, { name: "Elsewhere" });
    expect(await register(elsewhere.principal.id, key, other.tenantId)).toEqual({ registered: [key.kid] });
    const [stored] = (await load(id)).keys;
    await asStaff(publisher.tenantId, "admin", (ctx) => revokeSigningKey(ctx, { keyId: stored?.id ?? "" }));
    expect(await lastAudit(publisher.tenantId, "buyer")).toMatchObject({ action: "signing_key.revoked" });
    expect((await failure(register(id, key))).userMessage).toContain("revoked");
    expect((await failure(asStaff(other.tenantId, "admin", (ctx) => revokeSigningKey(ctx, { keyId: stored?.id ?? "" })))).code).toBe("REFERENCE_NOT_FOUND");
  });
});
