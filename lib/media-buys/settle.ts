import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { requestConvergence } from "../fulfilment/request";
import { announceChange } from "../live";
import { creativeReadiness, isInSync, loadAssigned, loadPackages, lockMediaBuy } from "./queries";
import { type MediaBuyStatus } from "./schema";
import { settledStatus, transitionMediaBuy } from "./transitions";

const NEVER_BEGAN = "The flight ended before the order could begin.";

const SUMMARIES = {
  pending_start: "Creatives are complete; the order waits for its flight",
  active: "The flight has begun and an ad server holds the order",
  completed: "The flight has ended",
  canceled: NEVER_BEGAN,
} as const;

/**
 * Moves a confirmed order to where time, its creatives and its ad servers have brought it; answers the new status, or null when it stays.
 * Called after a read-back, after a change of creatives and by the clock. It locks the media buy: call it in a transaction of its own, or
 * before that transaction writes any of its fulfilments (every other path locks the media buy first, so the other order deadlocks).
 */
export async function settleStatus(ctx: Ctx, mediaBuyId: string): Promise<MediaBuyStatus | null> {
  const buy = await lockMediaBuy(ctx, mediaBuyId);
  if (buy.confirmedAt === null || buy.statusForcedAt !== null) return null;
  const isPending = buy.status === "pending_creatives" || buy.status === "pending_start";
  const to = settledStatus(buy.status, {
    now: ctx.now,
    startsAt: buy.effectiveStartsAt ?? buy.startsAt,
    endsAt: buy.endsAt,
    isCreativeComplete: buy.status === "pending_creatives" && (await hasAllCreatives(ctx, mediaBuyId)),
    isInSync: isPending && (await isInSync(ctx, mediaBuyId)) && (await mayRun(ctx, mediaBuyId)),
  });
  if (to === null) return null;
  const moved = await transitionMediaBuy(ctx, {
    mediaBuyId, from: [buy.status], to,
    set: to === "canceled" ? { canceledAt: ctx.now, canceledBy: "seller", cancellationReason: NEVER_BEGAN } : {},
  });
  await recordAudit(ctx, {
    action: to === "active" ? "media_buy.activated" : `media_buy.${to}`, objectKind: "media_buy", objectId: mediaBuyId, mediaBuyId, summary: SUMMARIES[to],
    before: { status: buy.status, revision: buy.revision }, after: { status: to, revision: moved.revision },
  });
  if (to === "completed" || to === "canceled") await requestConvergence(ctx, mediaBuyId);
  else announceChange(ctx, "media_buy", mediaBuyId);
  return to;
}

/** An order none of whose packages is free and has an approved creative (any more) has nothing in an ad server that could run. */
async function mayRun(ctx: Ctx, mediaBuyId: string): Promise<boolean> {
  const free = (await loadPackages(ctx, [mediaBuyId])).filter(({ hold }) => hold === null);
  return creativeReadiness(free, await loadAssigned(ctx, [mediaBuyId])).some((item) => item.hasCreatives);
}

async function hasAllCreatives(ctx: Ctx, mediaBuyId: string): Promise<boolean> {
  const readiness = creativeReadiness(await loadPackages(ctx, [mediaBuyId]), await loadAssigned(ctx, [mediaBuyId]));
  return readiness.every((item) => item.hasCreatives);
}
