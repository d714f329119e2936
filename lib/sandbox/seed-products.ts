import { and, asc, eq, isNull } from "drizzle-orm";
import { z } from "zod";
import { adapterConfigs } from "../ad-servers/schema";
import { type BuyerSession } from "../adcp/tool";
import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { findFormat } from "../creatives/formats";
import { newId } from "../ids";
import { parseMicros } from "../money";
import { PRICING_MODELS, pricingOptions, productBuyers, products, productTargets } from "../products/schema";
import { noteFixture } from "./fixtures";
import { ControllerProblem, notFound } from "./problem";

const priceFixture = z.looseObject({
  pricing_model: z.enum(PRICING_MODELS).default("cpm"),
  currency: z.string().regex(/^[A-Z]{3}$/).optional(),
  fixed_price: z.number().positive().optional(),
  floor_price: z.number().positive().optional(),
  min_spend_per_package: z.number().positive().optional(),
  /** What is sold by time is sold by the day. */
  parameters: z.looseObject({ time_unit: z.literal("day").optional() }).optional(),
});

const productFixture = z.looseObject({
  name: z.string().min(1).max(200).optional(),
  description: z.string().min(1).max(2_000).optional(),
  channels: z.array(z.string().max(50)).max(20).optional(),
  delivery_type: z.enum(["guaranteed", "non_guaranteed"]).default("guaranteed"),
  format_ids: z.array(z.union([z.string(), z.looseObject({ id: z.string() })])).max(50).optional(),
  pricing_options: z.array(priceFixture.extend({ pricing_option_id: z.string().min(1).max(100) })).max(20).default([]),
});

const DEFAULT_FORMAT = "display_300x250_image";
/** Before everything that the publisher sells: a test looks for what it prepared. */
const SEEDED_POSITION = -1;

/** Reads a fixture. Throws INVALID_PARAMS with the path of its first mistake. */
export function parseFixture<T>(schema: z.ZodType<T>, fixture: unknown): T {
  const parsed = schema.safeParse(fixture);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ControllerProblem("INVALID_PARAMS", `${["params.fixture", ...(issue?.path ?? [])].join(".")}: ${issue?.message ?? "is not valid"}.`);
}

/**
 * A product for this buyer alone. It sells without review through every simulated connection of the publisher, to where products like it
 * are sold: orders on it are carried out in the simulator as any other.
 */
export async function seedProduct(ctx: Ctx, session: BuyerSession, productId: string, fixture: Record<string, unknown>): Promise<boolean> {
  const input = parseFixture(productFixture, fixture);
  const formatIds = (input.format_ids ?? [DEFAULT_FORMAT]).map(toKnownFormat);
  if (!(await noteFixture(ctx, session, "product", productId, fixture))) return false;
  const id = newId(ctx.now.getTime());
  const name = input.name ?? productId;
  const [made] = await ctx.db.insert(products).values({
    tenantId: ctx.tenantId, id, productId, name, description: input.description ?? `A test product of ${session.principalName}.`, channels: input.channels ?? [], formatIds,
    deliveryType: input.delivery_type, isReviewRequired: false, visibility: "selected", seededFor: session.principalId, position: SEEDED_POSITION, createdAt: ctx.now, updatedAt: ctx.now,
  }).onConflictDoNothing().returning({ id: products.id });
  if (!made) throw new ControllerProblem("INVALID_PARAMS", "You have a product with params.product_id. Choose another id.");
  await ctx.db.insert(productBuyers).values({ tenantId: ctx.tenantId, productId: id, principalId: session.principalId, createdAt: ctx.now });
  await sellLikeOthers(ctx, id, input.delivery_type, input.channels ?? []);
  for (const { pricing_option_id: optionId, ...price } of input.pricing_options) await insertPrice(ctx, id, optionId, price);
  await recordAudit(ctx, { action: "product.seeded", objectKind: "product", objectId: id, summary: `The test controller of ${session.principalName} made the product “${name}”.` });
  return true;
}

function toKnownFormat(format: string | { id: string }): string {
  const asked = typeof format === "string" ? format : format.id;
  const known = findFormat(asked);
  if (!known) throw new ControllerProblem("INVALID_PARAMS", "params.fixture.format_ids names a format that this publisher does not serve. Choose from list_creative_formats.");
  return known.id;
}

/** Where products like it are booked, and on their terms: of the same delivery type and a channel in common, as far as there are such. */
async function sellLikeOthers(ctx: Ctx, id: string, deliveryType: string, channels: readonly string[]): Promise<void> {
  const examples = await ctx.db.select({ adapterConfigId: productTargets.adapterConfigId, config: productTargets.config, termsPolicy: products.termsPolicy, deliveryType: products.deliveryType, channels: products.channels })
    .from(productTargets)
    .innerJoin(products, and(eq(products.tenantId, productTargets.tenantId), eq(products.id, productTargets.productId), isNull(products.seededFor)))
    .innerJoin(adapterConfigs, and(eq(adapterConfigs.tenantId, productTargets.tenantId), eq(adapterConfigs.id, productTargets.adapterConfigId)))
    .where(and(eq(productTargets.tenantId, ctx.tenantId), eq(adapterConfigs.mode, "simulated"), isNull(adapterConfigs.archivedAt)))
    .orderBy(asc(products.position), asc(products.id));
  const likeness = (example: (typeof examples)[number]) => (example.deliveryType === deliveryType ? 2 : 0) + (example.channels.some((channel) => channels.includes(channel)) ? 1 : 0);
  const best = new Map<string, (typeof examples)[number]>();
  for (const example of examples) {
    const current = best.get(example.adapterConfigId);
    if (!current || likeness(example) > likeness(current)) best.set(example.adapterConfigId, example);
  }
  const [example] = best.values();
  if (example?.termsPolicy) await ctx.db.update(products).set({ termsPolicy: example.termsPolicy }).where(and(eq(products.tenantId, ctx.tenantId), eq(products.id, id)));
  if (best.size > 0) await ctx.db.insert(productTargets).values([...best.values()].map(({ adapterConfigId, config }) => ({ tenantId: ctx.tenantId, productId: id, adapterConfigId, config, createdAt: ctx.now, updatedAt: ctx.now })));
}

/** A price of a product that this buyer seeded. */
export async function seedPricingOption(ctx: Ctx, session: BuyerSession, productId: string, optionId: string, fixture: Record<string, unknown>): Promise<boolean> {
  const price = parseFixture(priceFixture, fixture);
  const [product] = await ctx.db.select({ id: products.id }).from(products)
    .where(and(eq(products.tenantId, ctx.tenantId), eq(products.productId, productId), eq(products.seededFor, session.principalId), isNull(products.archivedAt)));
  if (!product) throw notFound("seeded product");
  if (!(await noteFixture(ctx, session, "pricing_option", JSON.stringify([productId, optionId]), fixture))) return false;
  await insertPrice(ctx, product.id, optionId, price);
  return true;
}

async function insertPrice(ctx: Ctx, productId: string, optionId: string, price: z.infer<typeof priceFixture>): Promise<void> {
  if (price.fixed_price !== undefined && price.floor_price !== undefined) throw new ControllerProblem("INVALID_PARAMS", "A price is fixed or has a floor, not both.");
  if (price.fixed_price === undefined && price.floor_price === undefined) throw new ControllerProblem("INVALID_PARAMS", "A price needs fixed_price or floor_price.");
  const micros = (amount: number | undefined, field: string) => (amount === undefined ? null : parseMicros(amount, `params.fixture.${field}`));
  const [made] = await ctx.db.insert(pricingOptions).values({
    tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), productId, pricingOptionId: optionId, pricingModel: price.pricing_model, currency: price.currency ?? "USD",
    rateMicros: micros(price.fixed_price, "fixed_price"), floorMicros: micros(price.floor_price, "floor_price"), minSpendMicros: micros(price.min_spend_per_package, "min_spend_per_package"), createdAt: ctx.now,
  }).onConflictDoNothing().returning({ id: pricingOptions.id });
  if (!made) throw new ControllerProblem("INVALID_PARAMS", "The product has this pricing option already.");
}
