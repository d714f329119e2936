import { and, asc, eq, inArray, isNull } from "drizzle-orm";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { principals } from "../buyers/schema";
import { type Ctx } from "../context";
import { type Tx } from "../db/client";
import { AppError } from "../errors";
import { groupBy } from "../group-by";
import { isUuid } from "../ids";
import { announceChange } from "../live";
import { assertUnchanged, versionOf } from "../version-of";
import { pricingOptionBuyers, pricingOptions, productBuyers, products } from "./schema";

/** Who sees which product, which price, and amounts at all. To everybody else a hidden product or price does not exist, at any door. */

/**
 * @param input.buyers principals who see a product that is for selected buyers; ignored when everybody sees it
 * @param input.version of the audience that the form was opened on (loadProductAudience). Throws CONFLICT when it changed since, PRODUCT_NOT_FOUND.
 */
export async function setProductVisibility(ctx: Ctx, input: { productId: string; version: string; visibility: "all" | "selected"; buyers: string[] }): Promise<void> {
  requirePermission(ctx.actor, "product.edit");
  if (isUuid(input.productId)) await ctx.db.select({ id: products.id }).from(products).where(and(eq(products.tenantId, ctx.tenantId), eq(products.id, input.productId))).for("update");
  const before = await loadProductAudience(ctx, input.productId);
  assertUnchanged("Who sees this product", input.version, before.version);
  const buyers = input.visibility === "all" ? [] : await assertBuyers(ctx, input.buyers);
  const [product] = isUuid(input.productId) ? await ctx.db.update(products).set({ visibility: input.visibility, updatedAt: ctx.now })
    .where(and(eq(products.tenantId, ctx.tenantId), eq(products.id, input.productId))).returning({ id: products.id, name: products.name }) : [];
  if (!product) throw new AppError("PRODUCT_NOT_FOUND", "This product does not exist.");
  await ctx.db.delete(productBuyers).where(and(eq(productBuyers.tenantId, ctx.tenantId), eq(productBuyers.productId, product.id)));
  if (buyers.length > 0) await ctx.db.insert(productBuyers).values(buyers.map(({ id }) => ({ tenantId: ctx.tenantId, productId: product.id, principalId: id, createdAt: ctx.now })));
  await recordAudit(ctx, {
    action: "product.visibility_set", objectKind: "product", objectId: product.id, before: { visibility: before.visibility, buyers: namesAmong(before.buyers, before.selected) }, after: { visibility: input.visibility, buyers: buyers.map(({ name }) => name) },
    summary: input.visibility === "all" ? `“${product.name}” is for all buyers` : `“${product.name}” is for ${namesOf(buyers)} only`,
  });
  announceChange(ctx, "product", product.id);
}

/** Reserves a price for these buyers, or with null offers it to everybody who sees the product. `version` as in setProductVisibility. Throws CONFLICT, REFERENCE_NOT_FOUND. */
export async function setPricingOptionBuyers(ctx: Ctx, input: { pricingOptionId: string; version: string; buyers: string[] | null }): Promise<void> {
  requirePermission(ctx.actor, "product.edit");
  const [price] = isUuid(input.pricingOptionId) ? await ctx.db.select({ productId: pricingOptions.productId }).from(pricingOptions).where(and(eq(pricingOptions.tenantId, ctx.tenantId), eq(pricingOptions.id, input.pricingOptionId))).for("update") : [];
  const audience = price && (await loadProductAudience(ctx, price.productId));
  const before = audience?.prices.find(({ id }) => id === input.pricingOptionId);
  if (!audience || !before) throw new AppError("REFERENCE_NOT_FOUND", "This price does not exist.");
  assertUnchanged("Who may buy at this price", input.version, before.version);
  const buyers = input.buyers === null ? [] : await assertBuyers(ctx, input.buyers);
  const [option] = isUuid(input.pricingOptionId) ? await ctx.db.update(pricingOptions).set({ isReserved: input.buyers !== null })
    .where(and(eq(pricingOptions.tenantId, ctx.tenantId), eq(pricingOptions.id, input.pricingOptionId))).returning() : [];
  if (!option) throw new AppError("REFERENCE_NOT_FOUND", "This price does not exist.");
  await ctx.db.delete(pricingOptionBuyers).where(and(eq(pricingOptionBuyers.tenantId, ctx.tenantId), eq(pricingOptionBuyers.pricingOptionId, option.id)));
  if (buyers.length > 0) await ctx.db.insert(pricingOptionBuyers).values(buyers.map(({ id }) => ({ tenantId: ctx.tenantId, pricingOptionId: option.id, principalId: id, createdAt: ctx.now })));
  await recordAudit(ctx, {
    action: "product.price_reserved", objectKind: "product", objectId: option.productId, before: { pricingOption: option.pricingOptionId, buyers: before.isReserved ? namesAmong(audience.buyers, before.selected) : "all" }, after: { pricingOption: option.pricingOptionId, buyers: input.buyers === null ? "all" : buyers.map(({ name }) => name) },
    summary: input.buyers === null ? `The price ${option.pricingOptionId} is offered to all` : `The price ${option.pricingOptionId} is reserved for ${namesOf(buyers)}`,
  });
  announceChange(ctx, "product", option.productId);
}

/** Hides amounts from one buyer, or shows them. Orders of a buyer who sees none wait for a person. */
export async function setPriceVisibility(ctx: Ctx, input: { principalId: string; arePricesHidden: boolean }): Promise<void> {
  requirePermission(ctx.actor, "buyer.edit");
  const [principal] = isUuid(input.principalId) ? await ctx.db.update(principals).set({ arePricesHidden: input.arePricesHidden })
    .where(and(eq(principals.tenantId, ctx.tenantId), eq(principals.id, input.principalId))).returning({ id: principals.id, name: principals.name }) : [];
  if (!principal) throw new AppError("REFERENCE_NOT_FOUND", "This buyer does not exist.");
  await recordAudit(ctx, {
    action: "buyer.price_visibility_set", objectKind: "buyer", objectId: principal.id, after: { arePricesHidden: input.arePricesHidden },
    summary: input.arePricesHidden ? `Prices are hidden from ${principal.name}` : `Prices are shown to ${principal.name}`,
  });
  announceChange(ctx, "buyer", principal.id);
}

export type ProductAudience = Awaited<ReturnType<typeof loadProductAudience>>;

/** Who sees a product and who may buy at each of its prices, with the buyers there are to choose from, by name. Throws PRODUCT_NOT_FOUND. */
export async function loadProductAudience(ctx: Ctx, productId: string) {
  requirePermission(ctx.actor, "product.read");
  const [product] = isUuid(productId) ? await ctx.db.select({ visibility: products.visibility }).from(products).where(and(eq(products.tenantId, ctx.tenantId), eq(products.id, productId))) : [];
  if (!product) throw new AppError("PRODUCT_NOT_FOUND", "This product does not exist.");
  const [buyers, named, prices, reserved] = await Promise.all([
    ctx.db.select({ id: principals.id, name: principals.name, isSandbox: principals.isSandbox }).from(principals).where(and(eq(principals.tenantId, ctx.tenantId), isNull(principals.archivedAt))).orderBy(asc(principals.name), asc(principals.id)),
    ctx.db.select({ id: productBuyers.principalId }).from(productBuyers).where(and(eq(productBuyers.tenantId, ctx.tenantId), eq(productBuyers.productId, productId))),
    ctx.db.select({ id: pricingOptions.id, name: pricingOptions.pricingOptionId, isReserved: pricingOptions.isReserved }).from(pricingOptions)
      .where(and(eq(pricingOptions.tenantId, ctx.tenantId), eq(pricingOptions.productId, productId), isNull(pricingOptions.archivedAt))).orderBy(asc(pricingOptions.createdAt), asc(pricingOptions.id)),
    ctx.db.select({ optionId: pricingOptionBuyers.pricingOptionId, id: pricingOptionBuyers.principalId }).from(pricingOptionBuyers)
      .innerJoin(pricingOptions, and(eq(pricingOptions.tenantId, pricingOptionBuyers.tenantId), eq(pricingOptions.id, pricingOptionBuyers.pricingOptionId)))
      .where(and(eq(pricingOptionBuyers.tenantId, ctx.tenantId), eq(pricingOptions.productId, productId))),
  ]);
  const byOption = groupBy(reserved, ({ optionId }) => optionId);
  return {
    buyers,
    visibility: product.visibility,
    ...audienceOf(product.visibility === "all", named),
    prices: prices.map((price) => ({ ...price, ...audienceOf(!price.isReserved, byOption.get(price.id) ?? []) })),
  };
}

function audienceOf(isForAll: boolean, named: { id: string }[]): { selected: string[]; version: string } {
  const selected = named.map(({ id }) => id).sort();
  return { selected, version: versionOf([isForAll, selected]) };
}

function namesAmong(buyers: { id: string; name: string }[], selected: string[]): string[] {
  return buyers.filter(({ id }) => selected.includes(id)).map(({ name }) => name);
}

export type ProductVisibility = { id: string; productId: string; name: string; visibility: "all" | "selected"; isVisible: boolean; reservedPrices: string[] };

/** Every product on sale, whether this buyer sees it, and which prices are reserved for them. */
export async function listProductVisibility(ctx: Ctx, principalId: string): Promise<ProductVisibility[]> {
  requirePermission(ctx.actor, "product.read");
  const [rows, named, prices] = await Promise.all([
    ctx.db.select({ id: products.id, productId: products.productId, name: products.name, visibility: products.visibility }).from(products)
      .where(and(eq(products.tenantId, ctx.tenantId), isNull(products.archivedAt), isNull(products.seededFor))).orderBy(asc(products.position), asc(products.id)),
    ctx.db.select({ productId: productBuyers.productId }).from(productBuyers).where(and(eq(productBuyers.tenantId, ctx.tenantId), eq(productBuyers.principalId, principalId))),
    ctx.db.select({ productId: pricingOptions.productId, name: pricingOptions.pricingOptionId }).from(pricingOptionBuyers)
      .innerJoin(pricingOptions, and(eq(pricingOptions.tenantId, pricingOptionBuyers.tenantId), eq(pricingOptions.id, pricingOptionBuyers.pricingOptionId)))
      .where(and(eq(pricingOptionBuyers.tenantId, ctx.tenantId), eq(pricingOptionBuyers.principalId, principalId), eq(pricingOptions.isReserved, true), isNull(pricingOptions.archivedAt))),
  ]);
  const selected = new Set(named.map(({ productId }) => productId));
  const reserved = groupBy(prices, ({ productId }) => productId);
  return rows.map((row) => ({ ...row, isVisible: row.visibility === "all" || selected.has(row.id), reservedPrices: (reserved.get(row.id) ?? []).map(({ name }) => name) }));
}

/** Everything by which a catalogue differs between buyers, for those who cache it. Rows of products and prices that are for selected buyers. */
export async function loadAudiences(db: Tx, tenantId: string): Promise<Audiences> {
  const toSets = (rows: { id: string; principalId: string }[]) => new Map([...groupBy(rows, ({ id }) => id)].map(([id, items]) => [id, new Set(items.map(({ principalId }) => principalId))]));
  const [ofProducts, ofPrices, withoutPrices] = await Promise.all([
    db.select({ id: productBuyers.productId, principalId: productBuyers.principalId }).from(productBuyers).where(eq(productBuyers.tenantId, tenantId)),
    db.select({ id: pricingOptionBuyers.pricingOptionId, principalId: pricingOptionBuyers.principalId }).from(pricingOptionBuyers).where(eq(pricingOptionBuyers.tenantId, tenantId)),
    db.select({ id: principals.id }).from(principals).where(and(eq(principals.tenantId, tenantId), eq(principals.arePricesHidden, true))),
  ]);
  const [byProduct, byPrice, priceless] = [toSets(ofProducts), toSets(ofPrices), new Set(withoutPrices.map(({ id }) => id))];
  return { byProduct, byPrice, priceless, named: new Set([...[...byProduct.values(), ...byPrice.values()].flatMap((set) => [...set]), ...priceless]) };
}

export type Audiences = {
  /** products.id → who sees it, for products that are for selected buyers. */
  byProduct: ReadonlyMap<string, ReadonlySet<string>>;
  /** pricing_options.id → who may buy at it, for reserved prices. */
  byPrice: ReadonlyMap<string, ReadonlySet<string>>;
  /** Who sees no amounts. */
  priceless: ReadonlySet<string>;
  /** Everybody whose view may differ from the others'. */
  named: ReadonlySet<string>;
};

async function assertBuyers(ctx: Ctx, ids: string[]): Promise<{ id: string; name: string }[]> {
  const wanted = [...new Set(ids)];
  const found = wanted.length > 0 && wanted.every(isUuid) ? await ctx.db.select({ id: principals.id, name: principals.name }).from(principals).where(and(eq(principals.tenantId, ctx.tenantId), inArray(principals.id, wanted))) : [];
  if (found.length !== wanted.length) throw new AppError("VALIDATION_ERROR", "Choose among this publisher's buyers.", { field: "buyers" });
  return found;
}

function namesOf(buyers: { name: string }[]): string {
  return buyers.length === 0 ? "nobody" : buyers.map(({ name }) => name).join(", ");
}
