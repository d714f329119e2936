import { and, asc, count, eq, ilike, inArray, isNull, max, or } from "drizzle-orm";
import { z } from "zod";
import { adServerInventory } from "../ad-servers/schema";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { containsPattern, pageWindow } from "../paging";

export const INVENTORY_KINDS = ["ad_unit", "placement", "targeting_key", "targeting_value", "advertiser"] as const;
export type InventoryKind = (typeof INVENTORY_KINDS)[number];

export const inventorySearchInput = z.strictObject({
  adapterConfigId: z.uuid(),
  kind: z.enum(INVENTORY_KINDS),
  /** Part of a name or path, or an id of the ad server. */
  text: z.string().trim().max(200).default(""),
  /** Children of this alone: the values of one key. */
  parentExternalId: z.string().max(100).optional(),
  page: z.number().int().min(1).max(10_000).default(1),
});
export type InventorySearchInput = z.infer<typeof inventorySearchInput>;

const PAGE_SIZE = 25;

export type InventoryChoice = { externalId: string; parentExternalId: string | null; name: string; path: string | null; status: string | null; isRetired: boolean };

const CHOICE = {
  externalId: adServerInventory.externalId,
  parentExternalId: adServerInventory.parentExternalId,
  name: adServerInventory.name,
  path: adServerInventory.path,
  status: adServerInventory.status,
  retiredAt: adServerInventory.retiredAt,
};

/** What can be chosen in the ad server now, as of the last sync. What was retired is not offered. */
export async function searchInventory(ctx: Ctx, input: InventorySearchInput): Promise<{ rows: InventoryChoice[]; total: number }> {
  requirePermission(ctx.actor, "connection.read");
  const where = and(
    eq(adServerInventory.tenantId, ctx.tenantId), eq(adServerInventory.adapterConfigId, input.adapterConfigId), eq(adServerInventory.kind, input.kind), isNull(adServerInventory.retiredAt),
    input.parentExternalId === undefined ? undefined : eq(adServerInventory.parentExternalId, input.parentExternalId),
    input.text === "" ? undefined : or(ilike(adServerInventory.name, containsPattern(input.text)), ilike(adServerInventory.path, containsPattern(input.text)), eq(adServerInventory.externalId, input.text)),
  );
  const { limit, offset } = pageWindow({ page: input.page, pageSize: PAGE_SIZE });
  const [found, totals] = await Promise.all([
    ctx.db.select(CHOICE).from(adServerInventory).where(where).orderBy(asc(adServerInventory.name), asc(adServerInventory.externalId)).limit(limit).offset(offset),
    ctx.db.select({ total: count() }).from(adServerInventory).where(where),
  ]);
  return { rows: found.map(toChoice), total: totals[0]?.total ?? 0 };
}

/** Names and paths of things that were chosen, retired ones included and flagged. Ids that were never synced are missing from the answer. */
export async function findInventory(ctx: Ctx, input: { adapterConfigId: string; kind: InventoryKind; externalIds: string[] }): Promise<InventoryChoice[]> {
  requirePermission(ctx.actor, "connection.read");
  if (input.externalIds.length === 0) return [];
  const rows = await ctx.db.select(CHOICE).from(adServerInventory)
    .where(and(eq(adServerInventory.tenantId, ctx.tenantId), eq(adServerInventory.adapterConfigId, input.adapterConfigId), eq(adServerInventory.kind, input.kind), inArray(adServerInventory.externalId, input.externalIds)))
    .orderBy(asc(adServerInventory.name), asc(adServerInventory.externalId));
  return rows.map(toChoice);
}

export type InventorySummary = { kind: InventoryKind; current: number; retired: number; syncedAt: Date | null }[];

/** How much was synced, per kind, and when last. */
export async function summariseInventory(ctx: Ctx, adapterConfigId: string): Promise<InventorySummary> {
  requirePermission(ctx.actor, "connection.read");
  const rows = await ctx.db.select({ kind: adServerInventory.kind, all: count(), retired: count(adServerInventory.retiredAt), syncedAt: max(adServerInventory.syncedAt) }).from(adServerInventory)
    .where(and(eq(adServerInventory.tenantId, ctx.tenantId), eq(adServerInventory.adapterConfigId, adapterConfigId))).groupBy(adServerInventory.kind);
  return INVENTORY_KINDS.map((kind) => {
    const row = rows.find((candidate) => candidate.kind === kind);
    return { kind, current: (row?.all ?? 0) - (row?.retired ?? 0), retired: row?.retired ?? 0, syncedAt: row?.syncedAt ?? null };
  });
}

function toChoice({ retiredAt, ...row }: Omit<InventoryChoice, "isRetired"> & { retiredAt: Date | null }): InventoryChoice {
  return { ...row, isRetired: retiredAt !== null };
}
