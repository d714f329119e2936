import { and, asc, eq, isNull, or } from "drizzle-orm";
import { z } from "zod";
import { resolveAccount } from "../accounts/service";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { findFormat, type FormatDefinition } from "../creatives/formats";
import { upsertCreatives } from "../creatives/service";
import { fromWireId } from "../ids";
import { createMediaBuy } from "../media-buys/create";
import { lockMediaBuy } from "../media-buys/queries";
import { mediaBuys } from "../media-buys/schema";
import { isTerminal, TRANSITIONS } from "../media-buys/transitions";
import { pricingOptions, products } from "../products/schema";
import { addMs, DAY_MS } from "../time";
import { noteFixture } from "./fixtures";
import { forceCreativeStatus, moveBuy } from "./force";
import { ControllerProblem } from "./problem";
import { parseFixture } from "./seed-products";

const creativeFixture = z.looseObject({
  name: z.string().min(1).max(500).optional(),
  status: z.enum(["processing", "pending_review", "approved", "rejected", "archived"]).default("approved"),
  format_id: z.looseObject({ id: z.string() }).optional(),
  assets: z.record(z.string(), z.unknown()).optional(),
});

const DEFAULT_FORMAT = "display_300x250_image";

/** A creative in the account that the test names, or the buyer's first. Of an unknown format or without assets it becomes a plain image. */
export async function seedCreative(ctx: Ctx, session: BuyerSession, creativeId: string, { account: ref, fixture, agentUrl }: { account: unknown; fixture: Record<string, unknown>; agentUrl: string }): Promise<boolean> {
  const input = parseFixture(creativeFixture, fixture);
  const account = await resolveAccount(ctx, session, ref);
  if (!(await noteFixture(ctx, session, "creative", creativeId, fixture))) return false;
  const format = findFormat(input.format_id?.id ?? DEFAULT_FORMAT) ?? findFormat(DEFAULT_FORMAT);
  if (!format) throw new Error(`Invariant broken: no format ${DEFAULT_FORMAT}`);
  const item = { creative_id: creativeId, name: input.name ?? creativeId, format_id: { agent_url: agentUrl, id: format.id }, assets: input.assets ?? placeholders(format, creativeId) };
  const [outcome] = await upsertCreatives(ctx, { session, account, items: [item] });
  const [mistake] = outcome?.errors ?? [];
  if (mistake) throw new ControllerProblem("INVALID_PARAMS", `params.fixture: ${mistake.userMessage}`);
  if (input.status !== outcome?.row?.status) await forceCreativeStatus(ctx, session, { creativeId, status: input.status, reason: null });
  return true;
}

/** Something of the right kind in every slot that the format requires. */
function placeholders(format: FormatDefinition, creativeId: string): Record<string, unknown> {
  const url = (ending: string) => `https://assets.sandbox.example/${encodeURIComponent(creativeId)}${ending}`;
  return Object.fromEntries(format.assets.filter(({ isRequired }) => isRequired).map(({ assetId, type }) => {
    const { width, height, durationMs } = format;
    switch (type) {
      case "image": return [assetId, { asset_type: type, url: url(".png"), width: Math.max(width, 600 * Number(width === 1)), height: Math.max(height, 314 * Number(height === 1)) }];
      case "video": return [assetId, { asset_type: type, url: url(".mp4"), width, height, duration_ms: durationMs }];
      case "audio": return [assetId, { asset_type: type, url: url(".mp3"), duration_ms: durationMs }];
      case "vast": return [assetId, { asset_type: type, delivery_type: "url", url: url(".xml") }];
      case "html": return [assetId, { asset_type: type, content: "<p>Test</p>" }];
      case "text": return [assetId, { asset_type: type, content: "Test" }];
      case "url": return [assetId, { asset_type: type, url: url("") }];
    }
  }));
}

const buyFixture = z.looseObject({
  status: z.enum(["pending_creatives", "pending_start", "active", "paused", "completed", "rejected", "canceled"]).default("active"),
  currency: z.string().regex(/^[A-Z]{3}$/).optional(),
  account: z.unknown().optional(),
  start_time: z.iso.datetime({ offset: true }).optional(),
  end_time: z.iso.datetime({ offset: true }).optional(),
  packages: z.array(z.looseObject({ product_id: z.string(), pricing_option_id: z.string(), budget: z.number().positive() })).min(1).max(50).optional(),
});

const DEFAULT_BUDGET = 10_000;

/** An order under an id of the test's own, placed as any other and brought to its status along the protocol's table. */
export async function seedMediaBuy(ctx: Ctx, session: BuyerSession, mediaBuyId: string, { account: ref, fixture, agentUrl, catalogVersion }: { account: unknown; fixture: Record<string, unknown>; agentUrl: string; catalogVersion: number }): Promise<boolean> {
  const input = parseFixture(buyFixture, fixture);
  const account = await resolveAccount(ctx, session, input.account ?? ref);
  if (fromWireId("mediaBuy", mediaBuyId) !== undefined) throw new ControllerProblem("INVALID_PARAMS", "params.media_buy_id has the form of our own ids. Choose another one.");
  if (!(await noteFixture(ctx, session, "media_buy", mediaBuyId, fixture))) return false;
  const packages = input.packages ?? [await anyPackage(ctx, session, input.currency)];
  const request = {
    brand: { domain: account.brandDomain }, start_time: input.start_time ?? "asap", end_time: input.end_time ?? addMs(ctx.now, 30 * DAY_MS).toISOString(), packages,
  };
  const result = await createMediaBuy(ctx, { session, account, request, agentUrl, catalogVersion });
  if (result.outcome !== "confirmed") throw new ControllerProblem("INVALID_PARAMS", "params.fixture.packages names a product that the publisher reviews. Seed one first.");
  await ctx.db.update(mediaBuys).set({ handle: mediaBuyId }).where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, result.mediaBuyId)));
  await walkTo(ctx, result.mediaBuyId, input.status);
  return true;
}

/** Something that can be ordered at once, what the buyer seeded first. */
async function anyPackage(ctx: Ctx, session: BuyerSession, currency: string | undefined): Promise<{ product_id: string; pricing_option_id: string; budget: number; bid_price?: number }> {
  const [found] = await ctx.db.select({ productId: products.productId, option: pricingOptions }).from(products)
    .innerJoin(pricingOptions, and(eq(pricingOptions.tenantId, products.tenantId), eq(pricingOptions.productId, products.id), isNull(pricingOptions.archivedAt)))
    .where(and(
      eq(products.tenantId, ctx.tenantId), isNull(products.archivedAt), eq(products.isReviewRequired, false), or(isNull(products.seededFor), eq(products.seededFor, session.principalId)),
      eq(pricingOptions.pricingModel, "cpm"), currency === undefined ? undefined : eq(pricingOptions.currency, currency),
    ))
    .orderBy(asc(products.position), asc(products.id), asc(pricingOptions.createdAt), asc(pricingOptions.id)).limit(1);
  if (!found) throw new ControllerProblem("INVALID_PARAMS", "There is no product to order without review. Seed a product and a pricing option first.");
  const { pricingOptionId, floorMicros } = found.option;
  return { product_id: found.productId, pricing_option_id: pricingOptionId, budget: DEFAULT_BUDGET, ...(floorMicros === null ? {} : { bid_price: Number(floorMicros) / 1e6 }) };
}

type Reachable = keyof typeof TRANSITIONS;

async function walkTo(ctx: Ctx, id: string, to: Exclude<Reachable, "pending_approval">): Promise<void> {
  const buy = await lockMediaBuy(ctx, id);
  const path = findPath(buy.status, to);
  if (!path) throw new ControllerProblem("INVALID_TRANSITION", `A new order that is ${buy.status} cannot become ${to}.`, buy.status);
  for (const status of path) if (status !== "pending_approval") await moveBuy(ctx, await lockMediaBuy(ctx, id), status, null);
  if (path.length === 0 && !isTerminal(buy.status)) await moveBuy(ctx, buy, to, null);
}

/** The shortest way through the table. */
function findPath(from: Reachable, to: Reachable): Reachable[] | null {
  const seen = new Set<Reachable>([from]);
  let paths: Reachable[][] = [[]];
  while (paths.length > 0) {
    const done = paths.find((path) => (path.at(-1) ?? from) === to);
    if (done) return done;
    paths = paths.flatMap((path) => TRANSITIONS[path.at(-1) ?? from].filter((next) => !seen.has(next)).map((next) => [...path, next]));
    for (const path of paths) seen.add(path.at(-1) ?? from);
  }
  return null;
}
