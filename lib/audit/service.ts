import { type Ctx } from "../context";
import { auditLog } from "./schema";

export type AuditEntry = {
  action: string;
  objectKind: string;
  objectId: string;
  mediaBuyId?: string;
  /** One sentence for people, without secrets. */
  summary: string;
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
};

/** Records who did what, in the transaction of the change. Values must be JSON (no bigint) and hold no secret. */
export async function recordAudit(ctx: Ctx, entry: AuditEntry): Promise<void> {
  await ctx.db.insert(auditLog).values(auditRow(ctx, entry));
}

/** The row of such a record, for a change that writes all its rows together. */
export function auditRow({ tenantId, actor, now }: Ctx, entry: AuditEntry): typeof auditLog.$inferInsert {
  return {
    tenantId,
    actorKind: actor.kind,
    actorId: actor.kind === "user" ? actor.userId : actor.kind === "principal" ? actor.principalId : null,
    actorLabel: actor.label,
    createdAt: now,
    ...entry,
  };
}
