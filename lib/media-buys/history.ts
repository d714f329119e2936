import { and, desc, eq, inArray, lte, sql } from "drizzle-orm";
import { auditLog } from "../audit/schema";
import { type Ctx } from "../context";
import { groupBy } from "../group-by";

/** The last `length` changes of each media buy that its buyer can see, newest first, from the audit. The publisher's people stay unnamed. */
export async function loadHistory(ctx: Ctx, mediaBuyIds: string[], length: number): Promise<Map<string, Record<string, unknown>[]>> {
  if (mediaBuyIds.length === 0 || length === 0) return new Map();
  const ranked = ctx.db.select({
    mediaBuyId: auditLog.mediaBuyId, id: auditLog.id, createdAt: auditLog.createdAt, actorKind: auditLog.actorKind, actorLabel: auditLog.actorLabel, action: auditLog.action, summary: auditLog.summary,
    revision: sql<number>`(${auditLog.after} ->> 'revision')::int`.as("revision"),
    place: sql<number>`row_number() over (partition by ${auditLog.mediaBuyId} order by ${auditLog.id} desc)`.as("place"),
  }).from(auditLog)
    .where(and(eq(auditLog.tenantId, ctx.tenantId), inArray(auditLog.mediaBuyId, mediaBuyIds), eq(auditLog.objectKind, "media_buy"), sql`${auditLog.after} ->> 'revision' is not null`))
    .as("ranked");
  const rows = await ctx.db.select().from(ranked).where(lte(ranked.place, length)).orderBy(ranked.mediaBuyId, desc(ranked.id));
  const presented = rows.map((row) => ({
    mediaBuyId: row.mediaBuyId,
    entry: {
      revision: row.revision, timestamp: row.createdAt.toISOString(), actor: row.actorKind === "principal" ? row.actorLabel : "publisher",
      action: row.action.replace(/^media_buy\./, ""), summary: row.summary,
    },
  }));
  return new Map([...groupBy(presented, (item) => item.mediaBuyId ?? "")].map(([id, items]) => [id, items.map((item) => item.entry)]));
}
