import { and, eq, isNull, sql } from "drizzle-orm";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { isUuid, newId } from "../ids";
import { announceChange } from "../live";
import { changedSinceOpened } from "../version-of";
import { type PrincipalInput } from "./input";
import { principals } from "./schema";

export type PrincipalRow = typeof principals.$inferSelect;

/** A new buyer, without a token yet. Whether it is a sandbox buyer can never change: all its accounts and orders follow from it. Throws VALIDATION_ERROR. */
export async function createPrincipal(ctx: Ctx, input: PrincipalInput): Promise<{ id: string }> {
  requirePermission(ctx.actor, "buyer.edit");
  await refuseKnownName(ctx, input.name);
  const id = newId(ctx.now.getTime());
  await ctx.db.insert(principals).values({ tenantId: ctx.tenantId, id, name: input.name, isSandbox: input.isSandbox, createdAt: ctx.now });
  await recordAudit(ctx, {
    action: "buyer.created", objectKind: "buyer", objectId: id,
    summary: `Created ${input.isSandbox ? "sandbox " : ""}buyer “${input.name}”`, after: { name: input.name, isSandbox: input.isSandbox },
  });
  announceChange(ctx, "buyer", id);
  return { id };
}

/** `seen`: the name as it stood. Throws REFERENCE_NOT_FOUND, VALIDATION_ERROR, CONFLICT when somebody else has renamed it since. */
export async function renamePrincipal(ctx: Ctx, input: { id: string; name: string; seen: string }): Promise<void> {
  requirePermission(ctx.actor, "buyer.edit");
  const principal = await lockPrincipal(ctx, input.id);
  if (principal.name !== input.seen) throw changedSinceOpened("The name");
  if (principal.name === input.name) return;
  await refuseKnownName(ctx, input.name);
  await ctx.db.update(principals).set({ name: input.name }).where(own(ctx, principal.id));
  await recordAudit(ctx, { action: "buyer.renamed", objectKind: "buyer", objectId: principal.id, summary: `Renamed buyer “${principal.name}” to “${input.name}”`, before: { name: principal.name }, after: { name: input.name } });
  announceChange(ctx, "buyer", principal.id);
}

/** Ends a buyer's access at once: none of its tokens and keys works any more. Its orders stay, and run on. Throws REFERENCE_NOT_FOUND. */
export async function archivePrincipal(ctx: Ctx, input: { id: string }): Promise<void> {
  requirePermission(ctx.actor, "buyer.edit");
  const principal = await lockPrincipal(ctx, input.id);
  await ctx.db.update(principals).set({ archivedAt: ctx.now }).where(own(ctx, principal.id));
  await recordAudit(ctx, { action: "buyer.archived", objectKind: "buyer", objectId: principal.id, summary: `Archived buyer “${principal.name}”: its tokens and keys no longer work` });
  announceChange(ctx, "buyer", principal.id);
}

/** The buyer, unarchived and locked until the transaction ends. Throws REFERENCE_NOT_FOUND. */
export async function lockPrincipal(ctx: Ctx, id: string): Promise<PrincipalRow> {
  const [principal] = isUuid(id) ? await ctx.db.select().from(principals).where(and(own(ctx, id), isNull(principals.archivedAt))).for("update") : [];
  if (!principal) throw new AppError("REFERENCE_NOT_FOUND", "This buyer does not exist.");
  return principal;
}

async function refuseKnownName(ctx: Ctx, name: string): Promise<void> {
  const [known] = await ctx.db.select({ id: principals.id }).from(principals)
    .where(and(eq(principals.tenantId, ctx.tenantId), sql`lower(${principals.name}) = lower(${name})`, isNull(principals.archivedAt))).limit(1);
  if (known) throw new AppError("VALIDATION_ERROR", "Another buyer has this name.", { field: "name" });
}

function own(ctx: Ctx, id: string) {
  return and(eq(principals.tenantId, ctx.tenantId), eq(principals.id, id));
}
