import { and, asc, count, desc, eq, ilike, inArray, isNotNull, isNull, or, sql } from "drizzle-orm";
import { adapterConfigs } from "../ad-servers/schema";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { isUuid } from "../ids";
import { microsToDecimal } from "../money";
import { containsPattern, type PageQuery, pageWindow } from "../paging";
import { reviewRule } from "./input";
import { pricingOptions, products, productTargets } from "./schema";

const SORT_COLUMNS = { position: products.position, name: products.name, updated: products.updatedAt, created: products.createdAt };

export type ProductListInput = PageQuery & { search: string; state: "selling" | "archived"; sort: keyof typeof SORT_COLUMNS; direction: "asc" | "desc" };

export type ProductListRow = Awaited<ReturnType<typeof listProducts>>["rows"][number];

/** The publisher's products with their prices and the connections they are mapped to. */
export async function listProducts(ctx: Ctx, input: ProductListInput) {
  requirePermission(ctx.actor, "product.read");
  const matches = and(
    eq(products.tenantId, ctx.tenantId), isNull(products.seededFor),
    input.search === "" ? undefined : or(ilike(products.name, containsPattern(input.search)), ilike(products.productId, containsPattern(input.search))),
  );
  const where = and(matches, input.state === "archived" ? isNotNull(products.archivedAt) : isNull(products.archivedAt));
  const order = input.direction === "desc" ? desc : asc;
  const { limit, offset } = pageWindow(input);
  const [found, [counted]] = await Promise.all([
    ctx.db.select().from(products).where(where).orderBy(order(SORT_COLUMNS[input.sort]), order(products.id)).limit(limit).offset(offset),
    ctx.db.select({ all: count(), archived: count(products.archivedAt) }).from(products).where(matches),
  ]);
  const ids = found.map((product) => product.id);
  const [prices, targets] = await Promise.all([loadPrices(ctx, ids), loadTargets(ctx, ids)]);
  const rows = found.map((product) => ({
    id: product.id,
    productId: product.productId,
    name: product.name,
    channels: product.channels,
    formatCount: product.formatIds.length,
    deliveryType: product.deliveryType,
    reviewRule: reviewRule(product.isReviewRequired),
    updatedAt: product.updatedAt,
    archivedAt: product.archivedAt,
    prices: prices.filter((price) => price.productId === product.id),
    connections: targets.filter((target) => target.productId === product.id).map(({ adapterConfigId, connectionName, status }) => ({ adapterConfigId, connectionName, status })),
  }));
  const { all, archived } = counted ?? { all: 0, archived: 0 };
  const counts = { selling: all - archived, archived };
  return { rows, total: counts[input.state], counts };
}

export type ProductView = Awaited<ReturnType<typeof loadProduct>>;

/** Everything that the editor shows. Throws PRODUCT_NOT_FOUND. */
export async function loadProduct(ctx: Ctx, id: string) {
  requirePermission(ctx.actor, "product.read");
  const [product] = isUuid(id) ? await ctx.db.select().from(products).where(and(eq(products.tenantId, ctx.tenantId), eq(products.id, id))) : [];
  if (!product) throw new AppError("PRODUCT_NOT_FOUND", "This product does not exist.");
  const [prices, targets] = await Promise.all([loadPrices(ctx, [id]), loadTargets(ctx, [id])]);
  return { ...product, reviewRule: reviewRule(product.isReviewRequired), prices, targets };
}

async function loadPrices(ctx: Ctx, productIds: string[]) {
  if (productIds.length === 0) return [];
  const rows = await ctx.db.select().from(pricingOptions)
    .where(and(eq(pricingOptions.tenantId, ctx.tenantId), inArray(pricingOptions.productId, productIds), isNull(pricingOptions.archivedAt)))
    .orderBy(asc(pricingOptions.createdAt), asc(pricingOptions.id));
  return rows.map((row) => ({
    id: row.id,
    productId: row.productId,
    pricingOptionId: row.pricingOptionId,
    pricingModel: row.pricingModel,
    currency: row.currency,
    priceType: row.rateMicros === null ? "auction" as const : "fixed" as const,
    priceMicros: row.rateMicros ?? row.floorMicros ?? 0n,
    price: microsToDecimal(row.rateMicros ?? row.floorMicros ?? 0n),
    minSpend: row.minSpendMicros === null ? "" : microsToDecimal(row.minSpendMicros),
  }));
}

async function loadTargets(ctx: Ctx, productIds: string[]) {
  if (productIds.length === 0) return [];
  return ctx.db.select({
    productId: productTargets.productId,
    adapterConfigId: productTargets.adapterConfigId,
    config: productTargets.config,
    connectionName: adapterConfigs.name,
    kind: adapterConfigs.kind,
    status: adapterConfigs.status,
    currency: adapterConfigs.currency,
    isConnectionArchived: sql<boolean>`${adapterConfigs.archivedAt} is not null`,
  }).from(productTargets)
    .innerJoin(adapterConfigs, and(eq(adapterConfigs.tenantId, productTargets.tenantId), eq(adapterConfigs.id, productTargets.adapterConfigId)))
    .where(and(eq(productTargets.tenantId, ctx.tenantId), inArray(productTargets.productId, productIds)))
    .orderBy(asc(adapterConfigs.name), asc(adapterConfigs.id));
}
