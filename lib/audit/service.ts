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
  const { actor } = ctx;
  await ctx.db.insert(auditLog).values({
    tenantId: ctx.tenantId,
    actorKind: actor.kind,
    actorId: actor.kind === "user" ? actor.userId : actor.kind === "principal" ? actor.principalId : null,
    actorLabel: actor.label,
    createdAt: ctx.now,
    ...entry,
  });
}
