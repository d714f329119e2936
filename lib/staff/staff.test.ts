import { setTimeout as sleep } from "node:timers/promises";
import { and, eq } from "drizzle-orm";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { failure, lastAudit } from "@/test/staff";
import { listAuditActors } from "../audit/queries";
import { auditLog } from "../audit/schema";
import { nextAuthOptions } from "../auth/next-auth";
import { readStaffOf } from "../auth/session";
import { sealSession, type SessionClaims } from "../auth/session-token";
import { signInWithPassword } from "../auth/sign-in";
import { type Ctx, type StaffRole } from "../context";
import { withTenant } from "../db/client";
import { newId } from "../ids";
import { createLog } from "../log";
import { inviteInput } from "./input";
import { acceptInvitations, readStaffLink, redeemStaffLink } from "./join";
import { listStaff } from "./queries";
import { changeRole, deactivateStaff, inviteStaff, issueStaffLink, LINK_HOURS, type NewLink, reactivateStaff } from "./service";

const database = useTestDatabase();
let owner: postgres.Sql;
let publisher: PublisherFixture;
let other: PublisherFixture;
let ada: Person;
let made = 0;
const PASSWORD = "a long way to the sea";

type Person = { userId: string };

beforeAll(() => {
  Object.assign(process.env, { GOOGLE_CLIENT_ID: "client", GOOGLE_CLIENT_SECRET: "secret" });
  owner = postgres(database.adminUrl, { max: 1 });
});

/** An administrator without a password: hashing one takes long. */
async function makeAdmin({ tenantId }: PublisherFixture): Promise<Person> {
  const userId = newId();
  await owner`insert into users (id, email, name) values (${userId}, ${address()}, 'Ada')`;
  await owner`insert into memberships (tenant_id, user_id, role) values (${tenantId}, ${userId}, 'admin')`;
  return { userId };
}
afterAll(() => owner.end());
beforeEach(async () => {
  [publisher, other] = [await createPublisher(), await createPublisher()];
  ada = await makeAdmin(publisher);
});

const HOUR_MS = 3_600_000;
const as = <T>(person: Person, work: (ctx: Ctx) => Promise<T>, { at = publisher, role = "admin" as StaffRole, now = new Date() } = {}) =>
  withTenant(at.tenantId, (db) => work({ db, tenantId: at.tenantId, actor: { kind: "user", userId: person.userId, label: "Ada", role }, now, log: createLog() }));
const address = () => `person-${(made += 1)}@people.example`;
const invite = (email = address(), role: StaffRole = "trafficker", at = publisher, by = ada) => as(by, (ctx) => inviteStaff(ctx, { email, name: "Grace", role }), { at });
const tokenOf = ({ link }: NewLink) => link.split("/").at(-1) ?? "";
const redeem = (token: string, password = PASSWORD, repeated = password) => redeemStaffLink({ token, password, repeated, address: `192.0.2.${(made += 1) % 250}` });
const claimsOf = async (token: string, password = PASSWORD): Promise<SessionClaims> => {
  const result = await redeem(token, password);
  if (result.outcome !== "done") throw new Error(JSON.stringify(result));
  return result.claims;
};
const publishersOf = async (claims: SessionClaims) => (await readStaffOf(await sealSession(claims)))?.memberships.map(({ slug, role }) => [slug, role]) ?? null;
const list = (at = publisher, by = ada) => as(by, (ctx) => listStaff(ctx), { at });
const signIn = (email: string, password: string) => signInWithPassword({ email, password, address: `198.51.100.${(made += 1) % 250}` });
const join = async (role: StaffRole = "trafficker", at = publisher, by = ada) => {
  const email = address();
  const invited = await invite(email, role, at, by);
  return { email, userId: invited.userId, claims: await claimsOf(tokenOf(invited)) };
};

describe("invitations", () => {
  test("somebody new chooses a password with the link, once, and is in", async () => {
    const email = address();
    const invited = await invite(email, "viewer");
    expect(invited.expiresAt.getTime() - Date.now()).toBeGreaterThan((LINK_HOURS - 1) * HOUR_MS);
    expect(await readStaffLink(tokenOf(invited))).toMatchObject({ way: "set_password", kind: "join", publisher: { slug: publisher.slug }, person: { email, name: "Grace", role: "viewer" } });
    expect((await list()).find((row) => row.userId === invited.userId)).toMatchObject({ state: "invited", role: "viewer", linkUntil: expect.any(Date) as unknown });
    expect((await signIn(email, PASSWORD)).outcome).toBe("refused");

    const claims = await claimsOf(tokenOf(invited));
    expect(await publishersOf(claims)).toEqual([[publisher.slug, "viewer"]]);
    expect((await signIn(email, PASSWORD)).outcome).toBe("signed_in");
    expect(await readStaffLink(tokenOf(invited))).toBeNull();
    expect(await redeem(tokenOf(invited), "quite another password")).toEqual({ outcome: "gone" });
    expect((await signIn(email, "quite another password")).outcome).toBe("refused");
    expect(await lastAudit(publisher.tenantId, "staff")).toMatchObject({ action: "staff.joined", actorKind: "user", actorId: invited.userId, objectId: invited.userId });
    expect((await list()).find((row) => row.userId === invited.userId)).toMatchObject({ state: "active", linkUntil: null });
  });

  test("of many who use one link at the same time, one succeeds", async () => {
    const token = tokenOf(await invite());
    const outcomes = await Promise.all(Array.from({ length: 6 }, (_, index) => redeem(token, `the password number ${index}`)));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(["done", "gone", "gone", "gone", "gone", "gone"]);
  });

  test("a link ends after its time, when a newer one is made, and with a deactivation; none is stored", async () => {
    const first = await invite();
    const old = await as(ada, (ctx) => inviteStaff(ctx, { email: address(), name: "Late", role: "viewer" }), { now: new Date(Date.now() - (LINK_HOURS + 1) * HOUR_MS) });
    const second = await as(ada, (ctx) => issueStaffLink(ctx, { userId: first.userId }));
    expect([await readStaffLink(tokenOf(first)), await readStaffLink(tokenOf(old)), (await readStaffLink(tokenOf(second)))?.kind]).toEqual([null, null, "join"]);
    expect(await redeem(tokenOf(old))).toEqual({ outcome: "gone" });
    expect((await list()).find((row) => row.userId === old.userId)).toMatchObject({ state: "invited", linkUntil: null });
    const stored = JSON.stringify([await owner`select * from staff_links`, await owner`select * from audit_log`, await owner`select * from outbox`]);
    for (const { link } of [first, old, second]) expect(stored).not.toContain(link.split("/").at(-1));
    await as(ada, (ctx) => deactivateStaff(ctx, { userId: first.userId }));
    expect(await readStaffLink(tokenOf(second))).toBeNull();
    for (const token of ["", "x", "staff_unknown"]) expect([await readStaffLink(token), await redeem(token)]).toEqual([null, { outcome: "gone" }]);
  });

  test("a poor password is refused in words and uses nothing up", async () => {
    const token = tokenOf(await invite());
    for (const [password, repeated] of [["short", "short"], ["aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa"], ["x".repeat(201), "x".repeat(201)], [PASSWORD, "another"]] as const) {
      expect((await redeem(token, password, repeated)).outcome, password).toBe("refused");
    }
    expect((await redeem(token)).outcome).toBe("done");
  });

  test("attempts on one link are limited", async () => {
    const token = tokenOf(await invite());
    const outcomes = [];
    for (let index = 0; index < 11; index += 1) outcomes.push((await redeem(token, "short")).outcome);
    expect(outcomes).toEqual([...Array.from({ length: 10 }, () => "refused"), "wait"]);
    expect((await redeem(token)).outcome).toBe("wait");
  });

  test("nobody is invited twice; addresses and names are checked", async () => {
    const email = address();
    await invite(email);
    expect(await failure(invite(email.toUpperCase()))).toMatchObject({ code: "VALIDATION_ERROR", field: "email" });
    for (const bad of ["", "no-at", "two words@x.example", "line\n@x.example", `${"x".repeat(300)}@x.example`]) expect(inviteInput.safeParse({ email: bad, name: "X", role: "viewer" }).success, bad).toBe(false);
    expect(inviteInput.safeParse({ email, name: " ", role: "viewer" }).success).toBe(false);
    expect(inviteInput.safeParse({ email, name: "X", role: "owner" }).success).toBe(false);
  });
});

type Change = (ctx: Ctx) => Promise<unknown>;

describe("somebody who works for another publisher", () => {
  let grace: Awaited<ReturnType<typeof join>>;
  let bea: Person;
  beforeEach(async () => {
    bea = await makeAdmin(other);
    grace = await join("viewer", other, bea);
  });

  test("is called what the inviting publisher calls them until they have come: their name elsewhere is not its to know", async () => {
    const invited = await as(ada, (ctx) => inviteStaff(ctx, { email: grace.email, name: "Some Guess", role: "viewer" }));
    const named = async () => (await list()).find(({ userId }) => userId === grace.userId)?.name;
    expect(await named()).toBe("Some Guess");
    expect((await readStaffLink(tokenOf(invited)))?.person.name).toBe("Some Guess");
    const second = await as(ada, (ctx) => issueStaffLink(ctx, { userId: grace.userId }));
    const told = await withTenant(publisher.tenantId, (db) => db.select({ summary: auditLog.summary }).from(auditLog).where(and(eq(auditLog.tenantId, publisher.tenantId), eq(auditLog.objectId, grace.userId))));
    expect(told).toHaveLength(2);
    expect(JSON.stringify(told)).not.toContain("Grace");
    const actors = async () => (await as(ada, listAuditActors)).people.find(({ id }) => id === grace.userId)?.name;
    expect(await actors()).toBeUndefined();
    await claimsOf(tokenOf(second));
    expect(await lastAudit(publisher.tenantId, "staff")).toMatchObject({ actorLabel: "Grace", summary: "Grace accepted the invitation" });
    expect(await actors()).toBe("Grace");
    expect(await named()).toBe("Grace");
    expect((await list(other, bea)).find(({ userId }) => userId === grace.userId)?.name).toBe("Grace");
  });

  test("joins with their own password and the link together; neither is enough, and the link sets no password", async () => {
    const token = tokenOf(await invite(grace.email, "admin"));
    expect(await publishersOf(grace.claims)).toEqual([[other.slug, "viewer"]]);
    expect((await readStaffLink(token))?.way).toBe("confirm");
    expect((await redeem(token, "the inviting admin's guess")).outcome).toBe("refused");
    expect(await publishersOf(await claimsOf(token))).toEqual([[publisher.slug, "admin"], [other.slug, "viewer"]]);
    expect((await signIn(grace.email, PASSWORD)).outcome).toBe("signed_in");
  });

  test("has a password that no administrator can replace, by whichever link", async () => {
    const [early, token] = [await as(bea, (ctx) => issueStaffLink(ctx, { userId: grace.userId }), { at: other }), tokenOf(await invite(grace.email))];
    await claimsOf(token);
    expect((await readStaffLink(tokenOf(early)))?.way).toBe("blocked");
    expect(await redeem(tokenOf(early), "taken over by the other")).toEqual({ outcome: "gone" });
    for (const [by, at] of [[ada, publisher], [bea, other]] as const) {
      expect(await failure(as(by, (ctx) => issueStaffLink(ctx, { userId: grace.userId }), { at }))).toMatchObject({ code: "INVALID_STATE", suggestion: expect.stringContaining("set-password") as unknown });
    }
    expect((await signIn(grace.email, PASSWORD)).outcome).toBe("signed_in");
  });

  test("loses one publisher and keeps the other, signed in", async () => {
    const claims = await claimsOf(tokenOf(await invite(grace.email)));
    await as(ada, (ctx) => deactivateStaff(ctx, { userId: grace.userId }));
    expect(await publishersOf(claims)).toEqual([[other.slug, "viewer"]]);
    expect((await list(other, bea)).find((row) => row.userId === grace.userId)).toMatchObject({ state: "active" });
  });

  test("is not seen, changed or removed from here", async () => {
    expect((await list()).map(({ email }) => email)).not.toContain(grace.email);
    const changes: Change[] = [(ctx) => changeRole(ctx, { userId: grace.userId, role: "admin", seen: "viewer" }), (ctx) => deactivateStaff(ctx, { userId: grace.userId }), (ctx) => issueStaffLink(ctx, { userId: grace.userId })];
    for (const change of changes) {
      expect((await failure(as(ada, change))).code).toBe("REFERENCE_NOT_FOUND");
    }
  });
});

describe("by Google", () => {
  const profile = (email: string) => ({ email, email_verified: true });
  const signInByGoogle = (email: string) => nextAuthOptions()?.callbacks?.signIn?.({ user: { id: "1" }, account: { provider: "google", type: "oauth", providerAccountId: "1" }, profile: profile(email) });

  test("an invitation is accepted by the address alone, as long as it stands", async () => {
    const [email, withdrawn] = [address(), address()];
    const invited = await invite(email);
    expect(await signInByGoogle(email)).toBe(true);
    expect((await list()).find((row) => row.userId === invited.userId)).toMatchObject({ state: "active" });
    expect(await readStaffLink(tokenOf(invited))).toBeNull();
    expect(await lastAudit(publisher.tenantId, "staff")).toMatchObject({ action: "staff.joined" });

    const late = await as(ada, (ctx) => inviteStaff(ctx, { email: withdrawn, name: "Late", role: "viewer" }), { now: new Date(Date.now() - (LINK_HOURS + 1) * HOUR_MS) });
    expect(await signInByGoogle(withdrawn)).toBe(false);
    await as(ada, (ctx) => issueStaffLink(ctx, { userId: late.userId }));
    await as(ada, (ctx) => deactivateStaff(ctx, { userId: late.userId }));
    expect(await signInByGoogle(withdrawn)).toBe(false);
  });

  test("somebody with a password, which another may have set, still needs the link", async () => {
    const grace = await join("viewer", other, await makeAdmin(other));
    const invited = await invite(grace.email);
    await acceptInvitations(grace.email);
    expect((await list()).find((row) => row.userId === invited.userId)).toMatchObject({ state: "invited" });
  });

  test("a person without a password elsewhere is not given one by a link from here", async () => {
    const bea = await makeAdmin(other);
    const email = address();
    await invite(email, "viewer", other, bea);
    await signInByGoogle(email);
    const token = tokenOf(await invite(email));
    expect((await readStaffLink(token))?.way).toBe("google");
    expect(await redeem(token)).toEqual({ outcome: "gone" });
    expect(await signInByGoogle(email)).toBe(true);
    expect((await list()).find((row) => row.email === email)).toMatchObject({ state: "active" });
  });
});

describe("changes", () => {
  test("a role changes with the next request; the change is audited; two at once do not overwrite one another", async () => {
    const grace = await join("viewer");
    await as(ada, (ctx) => changeRole(ctx, { userId: grace.userId, role: "trafficker", seen: "viewer" }));
    expect(await publishersOf(grace.claims)).toEqual([[publisher.slug, "trafficker"]]);
    expect(await lastAudit(publisher.tenantId, "staff")).toMatchObject({ action: "staff.role_changed", actorId: ada.userId, before: { role: "viewer" }, after: { role: "trafficker" } });
    expect(await failure(as(ada, (ctx) => changeRole(ctx, { userId: grace.userId, role: "admin", seen: "viewer" })))).toMatchObject({ code: "CONFLICT", details: { hasChangedSinceOpened: true } });
  });

  test("a deactivated person is out at once, with every session, also after being let in again", async () => {
    const grace = await join();
    expect(await publishersOf(grace.claims)).not.toBeNull();
    await as(ada, (ctx) => deactivateStaff(ctx, { userId: grace.userId }));
    expect(await publishersOf(grace.claims)).toBeNull();
    expect((await signIn(grace.email, PASSWORD)).outcome).toBe("refused");
    await as(ada, (ctx) => reactivateStaff(ctx, { userId: grace.userId }));
    expect(await publishersOf(grace.claims)).toBeNull();
    expect((await signIn(grace.email, PASSWORD)).outcome).toBe("signed_in");
    expect((await failure(as(ada, (ctx) => reactivateStaff(ctx, { userId: grace.userId })))).code).toBe("CONFLICT");
    expect(await failure(as(ada, (ctx) => issueStaffLink(ctx, { userId: newId() })))).toMatchObject({ code: "REFERENCE_NOT_FOUND" });
  });

  test("a link to set a new password signs out everywhere and replaces the old one", async () => {
    const grace = await join();
    const link = await as(ada, (ctx) => issueStaffLink(ctx, { userId: grace.userId }));
    expect(await publishersOf(grace.claims)).not.toBeNull();
    const claims = await claimsOf(tokenOf(link), "an entirely new password");
    expect([await publishersOf(grace.claims), (await publishersOf(claims))?.length]).toEqual([null, 1]);
    expect([(await signIn(grace.email, PASSWORD)).outcome, (await signIn(grace.email, "an entirely new password")).outcome]).toEqual(["refused", "signed_in"]);
  });

  test("a link that is used while an administrator takes it back: one waits for the other, and nothing locks up", async () => {
    const invited = await invite();
    let redeemed: ReturnType<typeof redeem> | undefined;
    await owner.begin(async (tx) => {
      await tx`select 1 from memberships where tenant_id = ${publisher.tenantId} and user_id = ${invited.userId} for update`;
      redeemed = redeem(tokenOf(invited));
      await sleep(1_500);
      await tx`update staff_links set revoked_at = now() where user_id = ${invited.userId}`;
    });
    expect(await redeemed).toEqual({ outcome: "gone" });
  });

  test("a new password is not set for somebody who joins another publisher in this very moment", async () => {
    const grace = await join();
    const link = await as(ada, (ctx) => issueStaffLink(ctx, { userId: grace.userId }));
    let redeemed: ReturnType<typeof redeem> | undefined;
    await owner.begin(async (tx) => {
      await tx`select 1 from users where id = ${grace.userId} for update`;
      await tx`insert into memberships (tenant_id, user_id, role) values (${other.tenantId}, ${grace.userId}, 'viewer')`;
      redeemed = redeem(tokenOf(link), "an entirely new password");
      await sleep(1_500);
    });
    expect(await redeemed).toEqual({ outcome: "gone" });
    expect((await signIn(grace.email, PASSWORD)).outcome).toBe("signed_in");
  });

  test("nobody changes themselves; an administrator always remains", async () => {
    const demote: Change = (ctx) => changeRole(ctx, { userId: ada.userId, role: "viewer", seen: "admin" });
    const deactivate: Change = (ctx) => deactivateStaff(ctx, { userId: ada.userId });
    for (const change of [demote, deactivate, (ctx: Ctx) => issueStaffLink(ctx, { userId: ada.userId })]) expect((await failure(as(ada, change))).code).toBe("INVALID_STATE");
    for (const change of [demote, deactivate]) {
      const bySystem = withTenant(publisher.tenantId, (db) => change({ db, tenantId: publisher.tenantId, actor: { kind: "system", label: "Test" }, now: new Date(), log: createLog() }));
      expect(await failure(bySystem)).toMatchObject({ code: "INVALID_STATE", userMessage: expect.stringContaining("last administrator") as unknown });
    }
    // One who was only invited is not an administrator yet.
    await invite(address(), "admin");
    expect((await failure(withTenant(publisher.tenantId, (db) => deactivate({ db, tenantId: publisher.tenantId, actor: { kind: "system", label: "Test" }, now: new Date(), log: createLog() })))).code).toBe("INVALID_STATE");
  });

  test("two administrators who remove one another at once: one remains", async () => {
    for (let round = 0; round < 5; round += 1) {
      const place = await createPublisher();
      const pair = [await makeAdmin(place), await makeAdmin(place)] as const;
      const outcomes = await Promise.allSettled([as(pair[0], (ctx) => deactivateStaff(ctx, { userId: pair[1].userId }), { at: place }), as(pair[1], (ctx) => changeRole(ctx, { userId: pair[0].userId, role: "viewer", seen: "admin" }), { at: place })]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      const [row] = await owner<{ n: number }[]>`select count(*)::int as n from memberships where tenant_id = ${place.tenantId} and role = 'admin' and deactivated_at is null`;
      expect(row?.n).toBe(1);
    }
  });

  test("all of it is an administrator's", async () => {
    const grace = await join("viewer");
    for (const role of ["trafficker", "viewer"] as const) {
      const works: Change[] = [listStaff, (ctx) => inviteStaff(ctx, { email: address(), name: "X", role: "viewer" }), (ctx) => changeRole(ctx, { userId: grace.userId, role: "admin", seen: "viewer" }), (ctx) => deactivateStaff(ctx, { userId: grace.userId }), (ctx) => reactivateStaff(ctx, { userId: grace.userId }), (ctx) => issueStaffLink(ctx, { userId: grace.userId })];
      for (const work of works) expect((await failure(as(ada, work, { role }))).code).toBe("PERMISSION_DENIED");
    }
  });
});
