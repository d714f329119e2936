import { InMemoryReplayStore, InMemoryRevocationStore, StaticJwksResolver, verifyWebhookSignature } from "@adcp/sdk/signing/server";
import { sql } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { useTestDatabase } from "@/test/db";
import { lookUp, withWorkerRole } from "../db/client";
import { addMs, DAY_MS, HOUR_MS } from "../time";
import { signHeaders } from "./signing";
import { KEY_LIFETIME_DAYS, listSigningKeys, loadSigningKey, PUBLISHED_AHEAD_HOURS, revokeSigningKey, rotateSigningKeys } from "./signing-keys";
import { signingKeys } from "./schema";

useTestDatabase();
beforeEach(() => withWorkerRole((tx) => tx.delete(signingKeys)));

const jwk = z.looseObject({ kid: z.string(), kty: z.string() });
type Jwks = z.infer<typeof jwk>[];

async function readJwks(): Promise<Jwks> {
  return (await lookUp(z.object({ public_jwk: jwk }), sql`select public_jwk from published_signing_keys()`)).map(({ public_jwk }) => public_jwk);
}

/** What a receiver that keeps `jwks` makes of a notification signed at `now`. */
async function verifies(jwks: Jwks, now: Date): Promise<boolean> {
  const url = new URL("https://buyer.example/hook");
  const body = JSON.stringify({ at: now.toISOString() });
  const headers = { "content-type": "application/json", ...(await signHeaders(url, body, null, now)) };
  return verifyWebhookSignature({ method: "POST", url: url.href, headers, body }, { jwks: new StaticJwksResolver(jwks), replayStore: new InMemoryReplayStore(), revocationStore: new InMemoryRevocationStore() }).then(() => true, () => false);
}

test("over half a year of rotation no receiver with a day-old JWKS ever fails, while the keys change", async () => {
  const start = new Date();
  await loadSigningKey(start);
  const signers = new Set<string>();
  let known = await readJwks();
  for (let hours = 0; hours <= 200 * 24; hours += 6) {
    const now = addMs(start, hours * HOUR_MS);
    const rotation = await rotateSigningKeys(now);
    const { keyid } = await loadSigningKey(now);
    if (!signers.has(keyid) || rotation.made.length + rotation.retired.length > 0) expect(await verifies(known, now), `after ${hours} hours`).toBe(true);
    signers.add(keyid);
    if (hours % 24 === 0) known = await readJwks();
  }
  expect(signers.size).toBe(3);
});

test("a successor is published a day before it signs, and its predecessor stays published after it", async () => {
  const start = new Date();
  const first = (await loadSigningKey(start)).keyid;
  const due = addMs(start, KEY_LIFETIME_DAYS * DAY_MS - PUBLISHED_AHEAD_HOURS * HOUR_MS);
  expect(await rotateSigningKeys(addMs(due, -HOUR_MS))).toEqual({ made: [], retired: [], forgotten: [] });
  const { made } = await rotateSigningKeys(due);
  expect(made).toHaveLength(1);
  expect((await loadSigningKey(due)).keyid).toBe(first);
  expect((await readJwks()).map(({ kid }) => kid).sort()).toEqual([first, ...made].sort());
  const next = addMs(due, PUBLISHED_AHEAD_HOURS * HOUR_MS);
  expect((await loadSigningKey(next)).keyid).toBe(made[0]);
  expect(await rotateSigningKeys(next)).toEqual({ made: [], retired: [first], forgotten: [] });
  expect((await readJwks()).map(({ kid }) => kid)).toContain(first);
  expect(await rotateSigningKeys(addMs(next, 31 * DAY_MS))).toEqual({ made: [], retired: [], forgotten: [first] });
});

test("rotation on demand makes one successor, however often and from however many processes it is asked for; without a key there is nothing to rotate", async () => {
  const now = new Date();
  expect(await rotateSigningKeys(now, { isDue: true })).toEqual({ made: [], retired: [], forgotten: [] });
  await loadSigningKey(now);
  const rotations = await Promise.all(Array.from({ length: 4 }, () => rotateSigningKeys(now, { isDue: true })));
  expect(rotations.flatMap(({ made }) => made)).toHaveLength(1);
  expect(await listSigningKeys()).toHaveLength(2);
});

test("a revoked key leaves the published ones at once, and another one signs", async () => {
  const now = new Date();
  const { keyid } = await loadSigningKey(now);
  const stale = await readJwks();
  expect(await revokeSigningKey(keyid, now)).toBe(true);
  expect(await revokeSigningKey(keyid, now)).toBe(false);
  expect((await loadSigningKey(now)).keyid).not.toBe(keyid);
  expect(await verifies(await readJwks(), now)).toBe(true);
  expect(await verifies(stale, now)).toBe(false);
});

test("with a successor that is already published, a revoked signer's notifications are signed by it", async () => {
  const now = new Date();
  const { keyid } = await loadSigningKey(now);
  const { made } = await rotateSigningKeys(now, { isDue: true });
  const known = await readJwks();
  await revokeSigningKey(keyid, now);
  expect((await loadSigningKey(now)).keyid).toBe(made[0]);
  expect(await verifies(known, now)).toBe(true);
});
