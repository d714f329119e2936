import { and, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { recordAudit } from "../audit/service";
import { memberships, staffLinks } from "../auth/schema";
import { hashPassword, passwordProblem } from "../auth/passwords";
import { type SessionClaims } from "../auth/session-token";
import { signInWithPassword, takeAttempt } from "../auth/sign-in";
import { hashToken } from "../buyers/tokens";
import { type Ctx, type StaffRole } from "../context";
import { lookUp, withTenant } from "../db/client";
import { announceChange } from "../live";
import { log } from "../log";

const role = z.enum(["admin", "trafficker", "viewer"]);
const linkRow = z.object({
  tenant_id: z.uuid(), slug: z.string(), tenant_name: z.string(), user_id: z.uuid(), email: z.string(), name: z.string(), role, kind: z.enum(["join", "reset"]), has_password: z.boolean(), is_elsewhere: z.boolean(),
});

/**
 * What the holder of a link can do with it.
 * set_password: choose one, and be in. confirm: join with the password they have, which proves that they are who was invited. google: join by
 * signing in with Google. blocked: nothing, because their password opens another publisher too and is not this one's to replace.
 */
export type StaffLink = { way: "set_password" | "confirm" | "google" | "blocked"; kind: "join" | "reset"; publisher: { slug: string; name: string }; person: { email: string; name: string; role: StaffRole } };

type Found = z.infer<typeof linkRow>;

/** Attempts by one network address, or on one link, within a quarter of an hour. Links cannot be guessed; hashing passwords is costly. */
const LIMITS = { address: 60, link: 10 };

/** null: there is no such link, or it was used, replaced or has ended. */
export async function readStaffLink(token: string): Promise<StaffLink | null> {
  const found = await findLink(token);
  if (!found) return null;
  return { way: wayOf(found), kind: found.kind, publisher: { slug: found.slug, name: found.tenant_name }, person: { email: found.email, name: found.name, role: found.role } };
}

export type LinkOutcome = { outcome: "done"; claims: SessionClaims; slug: string } | { outcome: "refused"; field: "password" | "repeated"; message: string } | { outcome: "gone" } | { outcome: "wait"; retryAt: Date };

/** Uses a link up: sets the first or a new password (which signs out everywhere), or joins with the present one. One use succeeds, whoever else tries at the same time. */
export async function redeemStaffLink(input: { token: string; password: string; repeated: string; address: string }): Promise<LinkOutcome> {
  const tokenHash = hashToken(input.token);
  const retryAt = await takeAttempt([{ of: ["staff link address", input.address], limit: LIMITS.address }, { of: ["staff link", tokenHash.toString("hex")], limit: LIMITS.link }]);
  if (retryAt) return { outcome: "wait", retryAt };
  const found = await findLink(input.token);
  if (!found) return { outcome: "gone" };
  const way = wayOf(found);
  if (way === "set_password") return setPassword(found, tokenHash, input);
  if (way === "confirm") return confirm(found, tokenHash, input);
  return { outcome: "gone" };
}

async function setPassword(found: Found, tokenHash: Buffer, { password, repeated }: { password: string; repeated: string }): Promise<LinkOutcome> {
  const problem = passwordProblem(password, found);
  if (problem) return { outcome: "refused", field: "password", message: problem };
  if (password !== repeated) return { outcome: "refused", field: "repeated", message: "The two passwords differ." };
  const passwordHash = await hashPassword(password);
  return asPerson(found, async (ctx) => {
    await lockPerson(ctx, found.user_id);
    const [set] = z.object({ user_id: z.uuid(), session_version: z.number() }).array()
      .parse([...(await ctx.db.execute(sql`select user_id, session_version from set_staff_password(${tokenHash}::bytea, ${passwordHash})`))]);
    if (!set) return { outcome: "gone" };
    if (found.kind === "join") await activate(ctx, found);
    else await recordAudit(ctx, { action: "staff.password_set", objectKind: "staff", objectId: found.user_id, summary: `${found.name} set a new password with a link` });
    return { outcome: "done", claims: { userId: set.user_id, sessionVersion: set.session_version }, slug: found.slug };
  });
}

async function confirm(found: Found, tokenHash: Buffer, { password, address }: { password: string; address: string }): Promise<LinkOutcome> {
  const signedIn = await signInWithPassword({ email: found.email, password, address, isInvited: true });
  if (signedIn.outcome === "wait") return signedIn;
  if (signedIn.outcome === "refused") return { outcome: "refused", field: "password", message: "This is not the password of this address." };
  // Their own name: the link knows the one that they were invited by.
  const person = { ...found, name: signedIn.name };
  return asPerson(person, async (ctx) => {
    await lockPerson(ctx, found.user_id);
    const used = await ctx.db.update(staffLinks).set({ usedAt: ctx.now })
      .where(and(eq(staffLinks.tenantId, ctx.tenantId), eq(staffLinks.tokenHash, tokenHash), isNull(staffLinks.usedAt), isNull(staffLinks.revokedAt))).returning({ id: staffLinks.id });
    if (used.length === 0) return { outcome: "gone" };
    await activate(ctx, person);
    return { outcome: "done", claims: signedIn.claims, slug: found.slug };
  });
}

/** Accepts the invitations of somebody whose e-mail address an identity provider has just vouched for. */
export async function acceptInvitations(email: string): Promise<void> {
  const open = await lookUp(z.object({ tenant_id: z.uuid(), user_id: z.uuid(), name: z.string(), role }), sql`select tenant_id, user_id, name, role from open_invitations(${email.trim()})`);
  for (const invitation of open) {
    await asPerson(invitation, async (ctx) => {
      await lockPerson(ctx, invitation.user_id);
      await ctx.db.update(staffLinks).set({ usedAt: ctx.now }).where(and(eq(staffLinks.tenantId, ctx.tenantId), eq(staffLinks.userId, invitation.user_id), isNull(staffLinks.usedAt), isNull(staffLinks.revokedAt)));
      await activate(ctx, invitation);
    });
  }
}

/**
 * Somebody's membership, links and, for all publishers together, the person: in the order in which administrators lock them. Nobody joins
 * another publisher between the look at where they belong and a new password.
 */
async function lockPerson(ctx: Ctx, userId: string): Promise<void> {
  await ctx.db.select({ userId: memberships.userId }).from(memberships).where(and(eq(memberships.tenantId, ctx.tenantId), eq(memberships.userId, userId))).for("update");
  await ctx.db.select({ id: staffLinks.id }).from(staffLinks).where(and(eq(staffLinks.tenantId, ctx.tenantId), eq(staffLinks.userId, userId), isNull(staffLinks.usedAt), isNull(staffLinks.revokedAt))).for("update");
  await ctx.db.execute(sql`select user_id from lock_person(${userId}::uuid)`);
}

async function activate(ctx: Ctx, { user_id: userId, name, role: as }: Pick<Found, "user_id" | "name" | "role">): Promise<void> {
  const [joined] = await ctx.db.update(memberships).set({ activatedAt: ctx.now })
    .where(and(eq(memberships.tenantId, ctx.tenantId), eq(memberships.userId, userId), isNull(memberships.activatedAt), isNull(memberships.deactivatedAt))).returning({ userId: memberships.userId });
  if (!joined) return;
  await recordAudit(ctx, { action: "staff.joined", objectKind: "staff", objectId: userId, summary: `${name} accepted the invitation`, after: { role: as } });
  announceChange(ctx, "staff", userId);
}

function asPerson<T>(found: Pick<Found, "tenant_id" | "user_id" | "name" | "role">, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  const { tenant_id: tenantId, user_id: userId, name: label } = found;
  return withTenant(tenantId, (db) => work({ db, tenantId, actor: { kind: "user", userId, label, role: found.role }, now: new Date(), log: log.child({ tenantId, userId }) }));
}

function wayOf({ kind, has_password: hasPassword, is_elsewhere: isElsewhere }: Found): StaffLink["way"] {
  if (kind === "reset") return isElsewhere ? "blocked" : "set_password";
  if (hasPassword) return "confirm";
  return isElsewhere ? "google" : "set_password";
}

async function findLink(token: string): Promise<Found | undefined> {
  const [found] = await lookUp(linkRow, sql`select tenant_id, slug, tenant_name, user_id, email, name, role, kind, has_password, is_elsewhere from staff_link(${hashToken(token)}::bytea)`);
  return found;
}
