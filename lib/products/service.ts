import { and, eq, isNotNull, isNull, max } from "drizzle-orm";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { findFormat } from "../creatives/formats";
import { AppError } from "../errors";
import { FieldErrors } from "../field-errors";
import { isUuid, newId } from "../ids";
import { announceChange } from "../live";
import { parseCollections } from "./collections";
import { type ProductInput, REVIEW_RULES } from "./input";
import { applyPricing, planPricing } from "./pricing";
import { loadProduct } from "./queries";
import { products } from "./schema";
import { applyTargets, planTargets } from "./targets";

export type SavedProduct = {
  id: string;
  version: number;
  /** Prices that had been sold and were therefore archived, with the id that now carries the new terms. */
  replacedPrices: { from: string; to: string }[];
};

/**
 * Makes or changes a product. Orders that exist keep what they were sold. Throws VALIDATION_ERROR with every message in
 * `details.fieldErrors`, PRODUCT_NOT_FOUND, CONFLICT when it was saved by somebody else since, INVALID_STATE when it is archived.
 */
export async function saveProduct(ctx: Ctx, input: ProductInput): Promise<SavedProduct> {
  requirePermission(ctx.actor, "product.edit");
  const existing = input.id === undefined ? undefined : await lockProduct(ctx, input.id);
  if (existing && existing.version !== input.version) {
    throw new AppError("CONFLICT", "This product was saved by somebody else while you were editing it. Reload the page to see it as it is now.", { suggestion: "Reload, then make your change again." });
  }
  if (existing?.archivedAt) throw new AppError("INVALID_STATE", "This product is archived. Restore it before you change it.");

  const errors = new FieldErrors();
  const productId = existing?.productId ?? (input.productId || slug(input.name));
  if (existing && input.productId !== "" && input.productId !== existing.productId) errors.add("productId", "Buyers know this product by this id: it cannot change.");
  if (productId === "") errors.add("productId", "Enter an id for buyers.");
  for (const formatId of input.formatIds) if (!findFormat(formatId)) errors.add("formatIds", `There is no creative format "${formatId}".`);
  const pricing = await planPricing(ctx, existing?.id, input.pricingOptions, errors);
  const targets = await planTargets(ctx, existing?.id, input, errors);
  const collections = parseCollections(input.collections, "collections", errors);
  errors.throwIfAny();

  const before = existing && describe(await loadProduct(ctx, existing.id));
  const fields = {
    name: input.name, description: input.description, channels: input.channels, formatIds: [...new Set(input.formatIds.map((formatId) => findFormat(formatId)?.id ?? formatId))],
    deliveryType: input.deliveryType, isReviewRequired: REVIEW_RULES[input.reviewRule], collections, updatedAt: ctx.now,
  };
  const id = existing?.id ?? newId(ctx.now.getTime());
  const version = (existing?.version ?? 0) + 1;
  if (existing) await ctx.db.update(products).set({ ...fields, version }).where(own(ctx, id));
  else await insertProduct(ctx, { ...fields, id, productId, version });
  await applyPricing(ctx, id, pricing);
  await applyTargets(ctx, id, targets);

  await recordAudit(ctx, {
    action: existing ? "product.updated" : "product.created", objectKind: "product", objectId: id,
    summary: `${existing ? "Changed" : "Created"} product “${input.name}”`, before, after: describe(await loadProduct(ctx, id)),
  });
  announceChange(ctx, "product", id);
  return { id, version, replacedPrices: pricing.replaced };
}

/** Takes a product off sale. Orders that were sold run on. */
export async function archiveProduct(ctx: Ctx, input: { id: string }): Promise<void> {
  requirePermission(ctx.actor, "product.edit");
  await moveProduct(ctx, input.id, "archived");
}

export async function restoreProduct(ctx: Ctx, input: { id: string }): Promise<void> {
  requirePermission(ctx.actor, "product.edit");
  await moveProduct(ctx, input.id, "restored");
}

async function moveProduct(ctx: Ctx, id: string, to: "archived" | "restored"): Promise<void> {
  const product = await lockProduct(ctx, id);
  const [moved] = await ctx.db.update(products)
    .set({ archivedAt: to === "archived" ? ctx.now : null, version: product.version + 1, updatedAt: ctx.now })
    .where(and(own(ctx, id), to === "archived" ? isNull(products.archivedAt) : isNotNull(products.archivedAt)))
    .returning({ id: products.id });
  if (!moved) throw new AppError("CONFLICT", to === "archived" ? "This product is archived already." : "This product is on sale already.");
  await recordAudit(ctx, { action: `product.${to}`, objectKind: "product", objectId: id, summary: `${to === "archived" ? "Archived" : "Restored"} product “${product.name}”` });
  announceChange(ctx, "product", id);
}

async function lockProduct(ctx: Ctx, id: string) {
  const [product] = isUuid(id) ? await ctx.db.select().from(products).where(own(ctx, id)).for("update") : [];
  if (!product) throw new AppError("PRODUCT_NOT_FOUND", "This product does not exist.");
  return product;
}

async function insertProduct(ctx: Ctx, fields: Omit<typeof products.$inferInsert, "tenantId">): Promise<void> {
  const [last] = await ctx.db.select({ position: max(products.position) }).from(products).where(eq(products.tenantId, ctx.tenantId));
  const [made] = await ctx.db.insert(products)
    .values({ ...fields, tenantId: ctx.tenantId, position: (last?.position ?? 0) + 1, createdAt: ctx.now })
    .onConflictDoNothing({ target: [products.tenantId, products.productId], where: isNull(products.seededFor) }).returning({ id: products.id });
  if (made) return;
  const errors = new FieldErrors();
  errors.add("productId", `Another product has the id “${fields.productId}”. Choose one of your own.`);
  errors.throwIfAny();
}

function own(ctx: Ctx, id: string) {
  return and(eq(products.tenantId, ctx.tenantId), eq(products.id, id));
}

function slug(name: string): string {
  return name.normalize("NFKD").toLowerCase().replaceAll(/[^a-z0-9]+/g, "_").slice(0, 60).replaceAll(/^_+|_+$/g, "");
}

/** What the audit keeps of a product: plain JSON, money as decimal text. */
function describe(product: Awaited<ReturnType<typeof loadProduct>>): Record<string, unknown> {
  return {
    productId: product.productId, name: product.name, description: product.description, channels: product.channels, formatIds: product.formatIds,
    deliveryType: product.deliveryType, reviewRule: product.reviewRule, collections: product.collections,
    pricingOptions: product.prices.map(({ pricingOptionId, pricingModel, currency, priceType, price, minSpend }) => ({ pricingOptionId, pricingModel, currency, priceType, price, minSpend })),
    targets: product.targets.map(({ connectionName, config }) => ({ connection: connectionName, config })),
  };
}
