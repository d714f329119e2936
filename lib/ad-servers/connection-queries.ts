import { and, asc, count, desc, eq, inArray, isNotNull, isNull, max, ne } from "drizzle-orm";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { fulfilments } from "../fulfilment/schema";
import { isUuid } from "../ids";
import { products, productTargets } from "../products/schema";
import { syncJobs } from "../sync-jobs/schema";
import { adapterConfigs, adServerInventory } from "./schema";

/** Everything about a connection but its credentials: those are named here by nothing, so that no result can carry them. */
const VISIBLE = {
  id: adapterConfigs.id,
  kind: adapterConfigs.kind,
  name: adapterConfigs.name,
  mode: adapterConfigs.mode,
  status: adapterConfigs.status,
  currency: adapterConfigs.currency,
  timeZone: adapterConfigs.timeZone,
  networkName: adapterConfigs.networkName,
  config: adapterConfigs.config,
  credentialsHint: adapterConfigs.credentialsHint,
  ratePerSecond: adapterConfigs.ratePerSecond,
  lastTest: adapterConfigs.lastTest,
  verifiedAt: adapterConfigs.verifiedAt,
  version: adapterConfigs.version,
  createdAt: adapterConfigs.createdAt,
  updatedAt: adapterConfigs.updatedAt,
  archivedAt: adapterConfigs.archivedAt,
};

export type ConnectionView = Awaited<ReturnType<typeof listConnections>>[number];

/** The publisher's connections, by name, with the age of their inventory, what uses them, and their newest test and sync. */
export async function listConnections(ctx: Ctx, input: { includeArchived?: boolean } = {}) {
  requirePermission(ctx.actor, "connection.read");
  const rows = await ctx.db.select(VISIBLE).from(adapterConfigs)
    .where(and(eq(adapterConfigs.tenantId, ctx.tenantId), input.includeArchived ? undefined : isNull(adapterConfigs.archivedAt)))
    .orderBy(asc(adapterConfigs.name), asc(adapterConfigs.id));
  return withUse(ctx, rows);
}

/** One connection. Throws REFERENCE_NOT_FOUND. */
export async function loadConnection(ctx: Ctx, id: string): Promise<ConnectionView> {
  requirePermission(ctx.actor, "connection.read");
  const rows = isUuid(id) ? await ctx.db.select(VISIBLE).from(adapterConfigs).where(and(eq(adapterConfigs.tenantId, ctx.tenantId), eq(adapterConfigs.id, id))) : [];
  const [connection] = await withUse(ctx, rows);
  if (!connection) throw new AppError("REFERENCE_NOT_FOUND", "This connection does not exist.");
  return connection;
}

async function withUse<Row extends { id: string }>(ctx: Ctx, rows: Row[]) {
  const ids = rows.map((row) => row.id);
  if (ids.length === 0) return [];
  const [inventory, uses, orders, jobs] = await Promise.all([
    ctx.db.select({ id: adServerInventory.adapterConfigId, kind: adServerInventory.kind, count: count() }).from(adServerInventory)
      .where(and(eq(adServerInventory.tenantId, ctx.tenantId), inArray(adServerInventory.adapterConfigId, ids), isNull(adServerInventory.retiredAt)))
      .groupBy(adServerInventory.adapterConfigId, adServerInventory.kind),
    ctx.db.select({ id: productTargets.adapterConfigId, count: count() }).from(productTargets)
      .innerJoin(products, and(eq(products.tenantId, productTargets.tenantId), eq(products.id, productTargets.productId), isNull(products.archivedAt)))
      .where(and(eq(productTargets.tenantId, ctx.tenantId), inArray(productTargets.adapterConfigId, ids))).groupBy(productTargets.adapterConfigId),
    ctx.db.select({ id: fulfilments.adapterConfigId, count: count() }).from(fulfilments)
      .where(and(eq(fulfilments.tenantId, ctx.tenantId), inArray(fulfilments.adapterConfigId, ids), ne(fulfilments.state, "ended"))).groupBy(fulfilments.adapterConfigId),
    ctx.db.selectDistinctOn([syncJobs.adapterConfigId, syncJobs.kind]).from(syncJobs)
      .where(and(eq(syncJobs.tenantId, ctx.tenantId), inArray(syncJobs.adapterConfigId, ids)))
      .orderBy(syncJobs.adapterConfigId, syncJobs.kind, desc(syncJobs.createdAt), desc(syncJobs.id)),
  ]);
  const completed = await ctx.db.select({ id: syncJobs.adapterConfigId, at: max(syncJobs.finishedAt) }).from(syncJobs)
    .where(and(eq(syncJobs.tenantId, ctx.tenantId), inArray(syncJobs.adapterConfigId, ids), eq(syncJobs.kind, "inventory"), eq(syncJobs.state, "succeeded"), isNotNull(syncJobs.finishedAt)))
    .groupBy(syncJobs.adapterConfigId);
  return rows.map((row) => ({
    ...row,
    inventory: inventory.filter((item) => item.id === row.id).map(({ kind, count: items }) => ({ kind, count: items })),
    inventorySyncedAt: completed.find((item) => item.id === row.id)?.at ?? null,
    productCount: uses.find((item) => item.id === row.id)?.count ?? 0,
    openOrderCount: orders.find((item) => item.id === row.id)?.count ?? 0,
    lastTestJob: jobs.find((job) => job.adapterConfigId === row.id && job.kind === "connection_test") ?? null,
    lastInventoryJob: jobs.find((job) => job.adapterConfigId === row.id && job.kind === "inventory") ?? null,
  }));
}
