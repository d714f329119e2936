import { and, asc, desc, eq, isNull, sql } from "drizzle-orm";
import { requirePermission } from "../auth/permissions";
import { memberships, staffLinks, users } from "../auth/schema";
import { type Ctx } from "../context";

/** What somebody is called here: their own name once they have come. */
export const shownName = sql<string>`case when ${memberships.activatedAt} is null then coalesce(${memberships.invitedName}, ${users.email}) else ${users.name} end`;

export type StaffMember = Awaited<ReturnType<typeof listStaff>>[number];

/** Everybody who works here, is invited to, or did: active ones first, by name. `linkUntil`: until when a link that was given out works; null for none. */
export async function listStaff(ctx: Ctx) {
  requirePermission(ctx.actor, "staff.read");
  const open = ctx.db.selectDistinctOn([staffLinks.userId], { userId: staffLinks.userId, expiresAt: staffLinks.expiresAt }).from(staffLinks)
    .where(and(eq(staffLinks.tenantId, ctx.tenantId), isNull(staffLinks.usedAt), isNull(staffLinks.revokedAt))).orderBy(staffLinks.userId, desc(staffLinks.expiresAt)).as("open");
  const rows = await ctx.db.select({
    userId: memberships.userId, name: shownName, email: users.email, role: memberships.role, createdAt: memberships.createdAt, activatedAt: memberships.activatedAt, deactivatedAt: memberships.deactivatedAt,
    linkUntil: open.expiresAt,
  }).from(memberships).innerJoin(users, eq(users.id, memberships.userId)).leftJoin(open, eq(open.userId, memberships.userId))
    .where(eq(memberships.tenantId, ctx.tenantId)).orderBy(sql`${memberships.deactivatedAt} is not null`, asc(sql`lower(${shownName})`), asc(users.id));
  return rows.map(({ linkUntil, ...row }) => ({
    ...row,
    state: row.deactivatedAt !== null ? "deactivated" as const : row.activatedAt === null ? "invited" as const : "active" as const,
    linkUntil: linkUntil !== null && linkUntil > ctx.now ? linkUntil : null,
  }));
}
