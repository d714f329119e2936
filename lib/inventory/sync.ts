import { and, eq, inArray, isNull, lt, sql } from "drizzle-orm";
import { adServerInventory } from "../ad-servers/schema";
import { type InventoryItem } from "../ad-servers/types";
import { type Ctx } from "../context";

/** Below the number of parameters that a statement may have. */
const CHUNK = 1_000;

/** Mirrors one page. What was retired and is there again counts again. @param syncedAt instant at which this sync began */
export async function saveInventory(ctx: Ctx, adapterConfigId: string, items: InventoryItem[], syncedAt: Date): Promise<void> {
  const unique = [...new Map(items.map((item) => [`${item.kind}:${item.externalId}`, item])).values()];
  for (let from = 0; from < unique.length; from += CHUNK) {
    const rows = unique.slice(from, from + CHUNK).map((item) => ({ tenantId: ctx.tenantId, adapterConfigId, ...item, syncedAt, retiredAt: null }));
    await ctx.db.insert(adServerInventory).values(rows).onConflictDoUpdate({
      target: [adServerInventory.tenantId, adServerInventory.adapterConfigId, adServerInventory.kind, adServerInventory.externalId],
      set: {
        parentExternalId: sql`excluded.parent_external_id`, name: sql`excluded.name`, path: sql`excluded.path`, status: sql`excluded.status`, data: sql`excluded.data`,
        syncedAt: sql`excluded.synced_at`, retiredAt: null,
      },
    });
  }
}

/** Once a sync is complete: what it did not see is gone. Rows stay, because what was sold may name them. */
export async function retireMissing(ctx: Ctx, adapterConfigId: string, kinds: InventoryItem["kind"][], syncedAt: Date): Promise<number> {
  if (kinds.length === 0) return 0;
  const retired = await ctx.db.update(adServerInventory).set({ retiredAt: ctx.now })
    .where(and(
      eq(adServerInventory.tenantId, ctx.tenantId), eq(adServerInventory.adapterConfigId, adapterConfigId), inArray(adServerInventory.kind, kinds),
      lt(adServerInventory.syncedAt, syncedAt), isNull(adServerInventory.retiredAt),
    ))
    .returning({ externalId: adServerInventory.externalId });
  return retired.length;
}
