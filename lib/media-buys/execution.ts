import { and, asc, eq, sql } from "drizzle-orm";
import { adServerDeclaration } from "../ad-servers/registry";
import { adapterConfigs } from "../ad-servers/schema";
import { type Ctx } from "../context";
import { anyOf, compiled, uuidArray } from "../db/client";
import { fulfilments } from "../fulfilment/schema";
import { groupBy } from "../group-by";
import { SECOND_MS } from "../time";

const selectExecution = compiled((db) => db.select({ fulfilment: fulfilments, kind: adapterConfigs.kind }).from(fulfilments)
  .innerJoin(adapterConfigs, and(eq(adapterConfigs.tenantId, fulfilments.tenantId), eq(adapterConfigs.id, fulfilments.adapterConfigId)))
  .where(and(eq(fulfilments.tenantId, sql.placeholder("tenantId")), sql`${fulfilments.mediaBuyId} = ${anyOf("mediaBuyIds")}`))
  .orderBy(asc(fulfilments.createdAt), asc(fulfilments.id)));

/** How far each ad server reflects an order, as the buyer sees it in `ext.fulfilment`: by media buy. Names of connections are the publisher's own. */
export async function loadExecution(ctx: Ctx, mediaBuyIds: string[]): Promise<Map<string, Record<string, unknown>[]>> {
  if (mediaBuyIds.length === 0) return new Map();
  const rows = await selectExecution(ctx.db, { tenantId: ctx.tenantId, mediaBuyIds: uuidArray(mediaBuyIds) });
  const presented = rows.map(({ fulfilment: row, kind }) => ({
    mediaBuyId: row.mediaBuyId,
    shown: {
      ad_server: adServerDeclaration(kind).label,
      state: row.state,
      desired_version: row.desiredVersion,
      applied_version: row.appliedVersion,
      ...(row.observedAt ? { observed_at: row.observedAt.toISOString(), observed_age_seconds: Math.max(0, Math.round((ctx.now.getTime() - row.observedAt.getTime()) / SECOND_MS)) } : {}),
      ...(row.blockedReason === null ? {} : { blocked_reason: row.blockedReason }),
    },
  }));
  return new Map([...groupBy(presented, (item) => item.mediaBuyId)].map(([id, items]) => [id, items.map((item) => item.shown)]));
}
