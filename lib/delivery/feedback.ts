import { and, desc, eq, isNotNull, isNull } from "drizzle-orm";
import { z } from "zod";
import { recordAudit } from "../audit/service";
import { type BuyerSession } from "../adcp/tool";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { creatives } from "../creatives/schema";
import { AppError } from "../errors";
import { fromWireId } from "../ids";
import { announceChange } from "../live";
import { assertForward, parseInstant } from "../media-buys/flight";
import { mediaBuyNotFound } from "../media-buys/queries";
import { mediaBuys, mediaPackages } from "../media-buys/schema";
import { addMs, DAY_MS } from "../time";
import { performanceFeedback } from "./schema";
import { matchMediaBuys } from "../media-buys/media-buy-id";

const feedbackRequest = z.looseObject({
  media_buy_id: z.string(),
  measurement_period: z.looseObject({ start: z.string(), end: z.string() }),
  performance_index: z.number(),
  package_id: z.string().optional(),
  creative_id: z.string().optional(),
  metric_type: z.string().default("overall_performance"),
  feedback_source: z.string().default("buyer_attribution"),
});

/** A clock's difference, or a day of another zone. */
const FUTURE_TOLERANCE_MS = DAY_MS;

/** Stores what a buyer's own measurement says of a confirmed order of theirs, for the publisher's people to see. */
export async function provideFeedback(ctx: Ctx, { session, request }: { session: BuyerSession; request: Record<string, unknown> }): Promise<{ isSandbox: boolean }> {
  const input = feedbackRequest.parse(request);
  const period = { startsAt: parseInstant(input.measurement_period.start, "measurement_period.start"), endsAt: parseInstant(input.measurement_period.end, "measurement_period.end") };
  assertForward(period, "measurement_period.end");
  if (period.endsAt > addMs(ctx.now, FUTURE_TOLERANCE_MS)) throw new AppError("VALIDATION_ERROR", "What lies ahead cannot have been measured.", { field: "measurement_period.end", suggestion: "Send a period that has ended." });
  const buy = await findBuy(ctx, session, input.media_buy_id);
  const packageId = input.package_id === undefined ? null : await findPackage(ctx, buy.id, input.package_id);
  const creativeId = input.creative_id === undefined ? null : await findCreative(ctx, session, buy.accountId, input.creative_id);
  await ctx.db.insert(performanceFeedback).values({
    tenantId: ctx.tenantId, principalId: session.principalId, mediaBuyId: buy.id, packageId, creativeId, periodStart: period.startsAt, periodEnd: period.endsAt,
    performanceIndex: input.performance_index, metricType: input.metric_type, feedbackSource: input.feedback_source, createdAt: ctx.now,
  });
  await recordAudit(ctx, { action: "media_buy.feedback", objectKind: "media_buy", objectId: buy.id, mediaBuyId: buy.id, summary: `Performance feedback: ${input.performance_index} for ${input.metric_type.replaceAll("_", " ")}` });
  announceChange(ctx, "media_buy", buy.id);
  return { isSandbox: buy.isSandbox };
}

async function findBuy(ctx: Ctx, session: BuyerSession, wireId: string): Promise<{ id: string; accountId: string; isSandbox: boolean }> {
  const [buy] = await ctx.db.select({ id: mediaBuys.id, accountId: mediaBuys.accountId, isSandbox: mediaBuys.isSandbox }).from(mediaBuys)
    .where(and(eq(mediaBuys.tenantId, ctx.tenantId), matchMediaBuys([wireId]), eq(mediaBuys.principalId, session.principalId), isNotNull(mediaBuys.confirmedAt)));
  if (!buy) throw mediaBuyNotFound();
  return buy;
}

async function findPackage(ctx: Ctx, mediaBuyId: string, wireId: string): Promise<string> {
  const id = fromWireId("package", wireId);
  const [row] = id === undefined ? [] : await ctx.db.select({ id: mediaPackages.id }).from(mediaPackages)
    .where(and(eq(mediaPackages.tenantId, ctx.tenantId), eq(mediaPackages.mediaBuyId, mediaBuyId), eq(mediaPackages.id, id)));
  if (!row) throw new AppError("PACKAGE_NOT_FOUND", "This media buy has no package with this id.", { field: "package_id", suggestion: "Find its packages with get_media_buys." });
  return row.id;
}

async function findCreative(ctx: Ctx, session: BuyerSession, accountId: string, creativeId: string): Promise<string> {
  const [row] = await ctx.db.select({ id: creatives.id }).from(creatives)
    .where(and(eq(creatives.tenantId, ctx.tenantId), eq(creatives.principalId, session.principalId), eq(creatives.accountId, accountId), eq(creatives.creativeId, creativeId), isNull(creatives.archivedAt)));
  if (!row) throw new AppError("CREATIVE_NOT_FOUND", "This account's library has no creative with this id.", { field: "creative_id" });
  return row.id;
}

export type FeedbackItem = { id: number; packageId: string | null; creativeId: string | null; periodStart: Date; periodEnd: Date; performanceIndex: number; metricType: string; feedbackSource: string; createdAt: Date };

const SHOWN_MAX = 50;

/** For staff, newest first. */
export async function listFeedback(ctx: Ctx, mediaBuyId: string): Promise<FeedbackItem[]> {
  requirePermission(ctx.actor, "media_buy.read");
  return ctx.db.select({
    id: performanceFeedback.id, packageId: performanceFeedback.packageId, creativeId: creatives.creativeId, periodStart: performanceFeedback.periodStart, periodEnd: performanceFeedback.periodEnd,
    performanceIndex: performanceFeedback.performanceIndex, metricType: performanceFeedback.metricType, feedbackSource: performanceFeedback.feedbackSource, createdAt: performanceFeedback.createdAt,
  }).from(performanceFeedback)
    .leftJoin(creatives, and(eq(creatives.tenantId, performanceFeedback.tenantId), eq(creatives.id, performanceFeedback.creativeId)))
    .where(and(eq(performanceFeedback.tenantId, ctx.tenantId), eq(performanceFeedback.mediaBuyId, mediaBuyId)))
    .orderBy(desc(performanceFeedback.id)).limit(SHOWN_MAX);
}
