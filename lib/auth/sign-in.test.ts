import postgres from "postgres";
import { beforeAll, describe, expect, test } from "vitest";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { createStaff } from "@/test/fixtures/staff";
import { useTestDatabase } from "@/test/db";
import { readStaffOf } from "./session";
import { sealSession } from "./session-token";
import { findStaffByEmail, signInWithPassword } from "./sign-in";

const database = useTestDatabase();
let publisher: PublisherFixture;
beforeAll(async () => {
  publisher = await createPublisher();
});

describe("signing in by password", () => {
  test("the right password, the address in any case; nothing else", async () => {
    const staff = await createStaff(database.adminUrl, [{ tenantId: publisher.tenantId, role: "viewer" }], { email: "Vera@publisher.example" });
    expect(await signInWithPassword({ email: " vera@Publisher.example ", password: staff.password, address: "192.0.2.1" })).toEqual({ outcome: "signed_in", name: expect.stringMatching(/^Person \d+$/) as string, claims: { userId: staff.userId, sessionVersion: 1 } });
    expect(await signInWithPassword({ email: staff.email, password: "wrong", address: "192.0.2.1" })).toEqual({ outcome: "refused" });
    expect(await signInWithPassword({ email: "nobody@publisher.example", password: staff.password, address: "192.0.2.1" })).toEqual({ outcome: "refused" });
  });

  test("the sixth guess from one place waits, even with the right password; another place does not", async () => {
    const staff = await createStaff(database.adminUrl, [{ tenantId: publisher.tenantId, role: "viewer" }]);
    const guess = (password: string, address: string) => signInWithPassword({ email: staff.email, password, address });
    for (let count = 0; count < 5; count += 1) expect((await guess("wrong", "192.0.2.7")).outcome).toBe("refused");
    const waiting = await guess(staff.password, "192.0.2.7");
    expect(waiting.outcome).toBe("wait");
    if (waiting.outcome === "wait") expect(waiting.retryAt.getTime() - Date.now()).toBeGreaterThan(10 * 60_000);
    expect((await guess(staff.password, "192.0.2.8")).outcome).toBe("signed_in");
  });

  test("guesses spread over many addresses wait too, and parallel ones gain nothing", async () => {
    const staff = await createStaff(database.adminUrl, [{ tenantId: publisher.tenantId, role: "viewer" }]);
    const outcomes = await Promise.all(Array.from({ length: 24 }, (_, index) => signInWithPassword({ email: staff.email, password: "wrong", address: `198.51.100.${index}` })));
    expect(outcomes.filter((item) => item.outcome === "refused")).toHaveLength(20);
    expect(outcomes.filter((item) => item.outcome === "wait")).toHaveLength(4);
  });

  test("a success forgets the person's failures", async () => {
    const staff = await createStaff(database.adminUrl, [{ tenantId: publisher.tenantId, role: "viewer" }]);
    const guess = (password: string) => signInWithPassword({ email: staff.email, password, address: "203.0.113.9" });
    for (let round = 0; round < 2; round += 1) {
      for (let count = 0; count < 4; count += 1) expect((await guess("wrong")).outcome).toBe("refused");
      expect((await guess(staff.password)).outcome).toBe("signed_in");
    }
  });

  test("the counters are closed to the app's own role, and hold no address", async () => {
    const app = postgres(database.appUrl, { max: 1 });
    const admin = postgres(database.adminUrl, { max: 1 });
    const seen = await app`select count(*)::int as n from sign_in_attempts`;
    const [held] = await admin<{ n: number; longest: number }[]>`select count(*)::int as n, max(length(key_hash)) as longest from sign_in_attempts`;
    await Promise.all([app.end(), admin.end()]);
    expect(seen[0]?.n).toBe(0);
    expect(held?.n).toBeGreaterThan(0);
    expect(held?.longest).toBe(32);
  });
});

describe("sessions", () => {
  test("memberships and roles are those of this moment", async () => {
    const other = await createPublisher();
    const staff = await createStaff(database.adminUrl, [{ tenantId: publisher.tenantId, role: "viewer" }, { tenantId: other.tenantId, role: "admin" }]);
    const cookie = await sealSession({ userId: staff.userId, sessionVersion: 1 });
    const before = await readStaffOf(cookie);
    expect(before?.memberships.map(({ slug, role }) => [slug, role])).toEqual([[publisher.slug, "viewer"], [other.slug, "admin"]]);

    const admin = postgres(database.adminUrl, { max: 1 });
    await admin`delete from memberships where user_id = ${staff.userId} and tenant_id = ${other.tenantId}`;
    expect((await readStaffOf(cookie))?.memberships.map(({ slug }) => slug)).toEqual([publisher.slug]);
    await admin`update users set session_version = 2 where id = ${staff.userId}`;
    expect(await readStaffOf(cookie)).toBeNull();
    expect(await readStaffOf(await sealSession({ userId: staff.userId, sessionVersion: 2 }))).not.toBeNull();
    await admin`update users set archived_at = now() where id = ${staff.userId}`;
    expect(await readStaffOf(await sealSession({ userId: staff.userId, sessionVersion: 2 }))).toBeNull();
    await admin.end();
  });

  test("an identity provider's word counts for people who are staff already", async () => {
    const staff = await createStaff(database.adminUrl, [{ tenantId: publisher.tenantId, role: "viewer" }]);
    expect(await findStaffByEmail(staff.email.toUpperCase())).toEqual({ userId: staff.userId, sessionVersion: 1 });
    expect(await findStaffByEmail("stranger@publisher.example")).toBeNull();
  });
});
