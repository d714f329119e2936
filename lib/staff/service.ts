import { and, eq, isNotNull, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { memberships, staffLinks, users } from "../auth/schema";
import { createToken } from "../buyers/tokens";
import { type Ctx, type StaffRole } from "../context";
import { env } from "../env";
import { AppError, invariant } from "../errors";
import { isUuid, newId } from "../ids";
import { announceChange } from "../live";
import { addMs, HOUR_MS } from "../time";
import { changedSinceOpened } from "../version-of";
import { type inviteInput } from "./input";
import { shownName } from "./queries";

/** How long a link works. */
export const LINK_HOURS = 72;

/** `link` is shown once: only its hash is stored. */
export type NewLink = { userId: string; link: string; expiresAt: Date };

type Member = { userId: string; name: string; role: StaffRole; activatedAt: Date | null; deactivatedAt: Date | null };

const addedRow = z.object({ user_id: z.uuid(), is_archived: z.boolean() });

/**
 * Invites somebody by e-mail address; they work here once they have used the link (or signed in with Google). Somebody who works for another
 * publisher keeps their name and password. Throws VALIDATION_ERROR on `email` when they are here already, PERMISSION_DENIED.
 */
export async function inviteStaff(ctx: Ctx, input: z.infer<typeof inviteInput>): Promise<NewLink> {
  requirePermission(ctx.actor, "staff.edit");
  const [added] = addedRow.array().parse([...(await ctx.db.execute(sql`select user_id, is_archived from add_person(${newId(ctx.now.getTime())}::uuid, ${input.email}, ${input.name})`))]);
  if (!added) throw new AppError("CONFLICT", "Somebody else is adding this person right now.");
  if (added.is_archived) throw new AppError("VALIDATION_ERROR", "This address is closed. Whoever runs this installation can open it again.", { field: "email" });
  const [made] = await ctx.db.insert(memberships).values({ tenantId: ctx.tenantId, userId: added.user_id, role: input.role, invitedName: input.name, createdAt: ctx.now, activatedAt: null }).onConflictDoNothing().returning({ userId: memberships.userId });
  if (!made) throw new AppError("VALIDATION_ERROR", "This person is in the list already.", { field: "email" });
  const link = await makeLink(ctx, added.user_id, "join");
  await recordAudit(ctx, { action: "staff.invited", objectKind: "staff", objectId: added.user_id, summary: `Invited ${input.name} (${input.email}) as ${input.role}`, after: { email: input.email, role: input.role } });
  announceChange(ctx, "staff", added.user_id);
  return link;
}

/** Throws REFERENCE_NOT_FOUND, INVALID_STATE for oneself or the last administrator, CONFLICT when the role has changed since it was seen. */
export async function changeRole(ctx: Ctx, input: { userId: string; role: StaffRole; seen: StaffRole }): Promise<void> {
  const member = await lockOther(ctx, input.userId);
  if (member.role !== input.seen) throw changedSinceOpened(`The role of ${member.name}`);
  if (member.role === input.role) return;
  if (member.role === "admin") {
    await refuseLastAdmin(ctx, member);
    await revokeAllLinks(ctx);
  }
  await ctx.db.update(memberships).set({ role: input.role }).where(own(ctx, member.userId));
  await recordAudit(ctx, { action: "staff.role_changed", objectKind: "staff", objectId: member.userId, summary: `${member.name} is ${input.role} now`, before: { role: member.role }, after: { role: input.role } });
  announceChange(ctx, "staff", member.userId);
}

/** Ends somebody's access to this publisher with their next request; their links stop working. Throws as changeRole does. */
export async function deactivateStaff(ctx: Ctx, input: { userId: string }): Promise<void> {
  const member = await lockOther(ctx, input.userId);
  if (member.deactivatedAt !== null) throw new AppError("CONFLICT", `${member.name} is deactivated already.`);
  if (member.role === "admin") {
    await refuseLastAdmin(ctx, member);
    await revokeAllLinks(ctx);
  }
  await ctx.db.update(memberships).set({ deactivatedAt: ctx.now }).where(own(ctx, member.userId));
  await revokeLinks(ctx, member.userId);
  await ctx.db.execute(sql`select session_version from end_sessions_without_access(${member.userId}::uuid)`);
  await recordAudit(ctx, { action: "staff.deactivated", objectKind: "staff", objectId: member.userId, summary: `Deactivated ${member.name}: nothing here is open to them any more`, before: { role: member.role } });
  announceChange(ctx, "staff", member.userId);
}

/** Lets somebody in again, in the role they had. Throws REFERENCE_NOT_FOUND, CONFLICT. */
export async function reactivateStaff(ctx: Ctx, input: { userId: string }): Promise<void> {
  const member = await lockOther(ctx, input.userId);
  if (member.deactivatedAt === null) throw new AppError("CONFLICT", `${member.name} is not deactivated any more.`);
  await ctx.db.update(memberships).set({ deactivatedAt: null }).where(own(ctx, member.userId));
  await recordAudit(ctx, { action: "staff.reactivated", objectKind: "staff", objectId: member.userId, summary: `Reactivated ${member.name} as ${member.role}`, after: { role: member.role } });
  announceChange(ctx, "staff", member.userId);
}

/**
 * A new link in place of those before it: to join, for somebody who was invited; else to set a new password. Throws REFERENCE_NOT_FOUND,
 * INVALID_STATE for somebody deactivated, and for somebody whose password opens another publisher too.
 */
export async function issueStaffLink(ctx: Ctx, input: { userId: string }): Promise<NewLink> {
  const member = await lockOther(ctx, input.userId);
  if (member.deactivatedAt !== null) throw new AppError("INVALID_STATE", `${member.name} is deactivated. Reactivate them first.`);
  const kind = member.activatedAt === null ? "join" : "reset";
  if (kind === "reset" && (await belongsElsewhere(ctx, member.userId))) {
    throw new AppError("INVALID_STATE", `${member.name} also works for another publisher, so you cannot set their password.`, { suggestion: "Whoever runs this installation can (npm run set-password)." });
  }
  const link = await makeLink(ctx, member.userId, kind);
  await recordAudit(ctx, { action: kind === "join" ? "staff.invited_again" : "staff.reset_link", objectKind: "staff", objectId: member.userId, summary: kind === "join" ? `Made a new invitation link for ${member.name}` : `Made a link with which ${member.name} can set a new password` });
  announceChange(ctx, "staff", member.userId);
  return link;
}

async function makeLink(ctx: Ctx, userId: string, kind: "join" | "reset"): Promise<NewLink> {
  await revokeLinks(ctx, userId);
  const { token, tokenHash } = createToken("staff");
  const expiresAt = addMs(ctx.now, LINK_HOURS * HOUR_MS);
  await ctx.db.insert(staffLinks).values({ tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), userId, kind, tokenHash, createdAt: ctx.now, expiresAt });
  return { userId, link: `${env().publicUrl}/set-password/${token}`, expiresAt };
}

async function revokeLinks(ctx: Ctx, userId: string): Promise<void> {
  await ctx.db.update(staffLinks).set({ revokedAt: ctx.now }).where(and(eq(staffLinks.tenantId, ctx.tenantId), eq(staffLinks.userId, userId), isNull(staffLinks.usedAt), isNull(staffLinks.revokedAt)));
}

/** Whoever could make links may have kept one: with their leave, none works any more. */
async function revokeAllLinks(ctx: Ctx): Promise<void> {
  await ctx.db.update(staffLinks).set({ revokedAt: ctx.now }).where(and(eq(staffLinks.tenantId, ctx.tenantId), isNull(staffLinks.usedAt), isNull(staffLinks.revokedAt)));
}

async function belongsElsewhere(ctx: Ctx, userId: string): Promise<boolean> {
  const [row] = z.object({ is_elsewhere: z.boolean() }).array().parse([...(await ctx.db.execute(sql`select is_elsewhere from staff_belongs_elsewhere(${userId}::uuid, ${ctx.tenantId}::uuid)`))]);
  invariant(row, "the question has an answer");
  return row.is_elsewhere;
}

/** A colleague, locked. Nobody decides on themselves: a slip would lock them out, and a second pair of eyes is the point. */
async function lockOther(ctx: Ctx, userId: string): Promise<Member> {
  requirePermission(ctx.actor, "staff.edit");
  if (ctx.actor.kind === "user" && ctx.actor.userId === userId) throw new AppError("INVALID_STATE", "This is you. Another administrator can change your access.");
  // Administrators first and in order, so that two of them who remove one another wait instead of leaving nobody.
  const admins = await ctx.db.select({ userId: memberships.userId }).from(memberships).where(activeAdmins(ctx)).orderBy(memberships.userId).for("update");
  const { actor } = ctx;
  if (actor.kind === "user" && !admins.some((admin) => admin.userId === actor.userId)) throw new AppError("PERMISSION_DENIED", "You are no longer an administrator here.");
  const [member] = isUuid(userId) ? await ctx.db.select({ userId: memberships.userId, name: shownName, role: memberships.role, activatedAt: memberships.activatedAt, deactivatedAt: memberships.deactivatedAt })
    .from(memberships).innerJoin(users, eq(users.id, memberships.userId)).where(own(ctx, userId)).for("update", { of: memberships }) : [];
  if (!member) throw new AppError("REFERENCE_NOT_FOUND", "This person does not work here.");
  return member;
}

async function refuseLastAdmin(ctx: Ctx, member: Member): Promise<void> {
  if (member.activatedAt === null || member.deactivatedAt !== null) return;
  const admins = await ctx.db.$count(memberships, activeAdmins(ctx));
  if (admins <= 1) throw new AppError("INVALID_STATE", `${member.name} is the last administrator here. Make somebody else one first.`);
}

function activeAdmins(ctx: Ctx) {
  return and(eq(memberships.tenantId, ctx.tenantId), eq(memberships.role, "admin"), isNotNull(memberships.activatedAt), isNull(memberships.deactivatedAt));
}

function own(ctx: Ctx, userId: string) {
  return and(eq(memberships.tenantId, ctx.tenantId), eq(memberships.userId, userId));
}
