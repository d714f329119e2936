import { and, eq, ne, sql } from "drizzle-orm";
import { type Ctx } from "../context";
import { type EventData } from "../events/events";
import { enqueueEvents } from "../events/outbox";
import { newId } from "../ids";
import { announceChange } from "../live";
import { mediaBuys } from "../media-buys/schema";
import { fulfilments } from "./schema";

type Opened = { id: string; adapterConfigId: string };

/** Opens one fulfilment per connection for a new media buy. Nothing is executed before `requestConvergence` or `startConvergence`. */
export async function openFulfilments(ctx: Ctx, mediaBuyId: string, adapterConfigIds: string[], desiredVersion: number): Promise<Opened[]> {
  const rows = fulfilmentRows(ctx, mediaBuyId, adapterConfigIds, desiredVersion);
  if (rows.length > 0) await ctx.db.insert(fulfilments).values(rows);
  return rows;
}

/** The rows of new fulfilments, for a change that writes all its rows together. */
export function fulfilmentRows(ctx: Ctx, mediaBuyId: string, adapterConfigIds: string[], desiredVersion: number) {
  return adapterConfigIds.map((adapterConfigId) => ({ tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), mediaBuyId, adapterConfigId, desiredVersion, createdAt: ctx.now, updatedAt: ctx.now }));
}

/** Writes the events that start execution of fulfilments at a version they already carry. */
export async function startConvergence(ctx: Ctx, mediaBuyId: string, opened: Opened[], desiredVersion: number): Promise<void> {
  await enqueueEvents(ctx, "greenlight/fulfilment.changed", changedEvents(ctx, mediaBuyId, opened, desiredVersion));
}

/** Those events, for a change that writes all its rows together. Tells open screens after the commit. */
export function changedEvents(ctx: Ctx, mediaBuyId: string, opened: Opened[], desiredVersion: number): { eventId: string; data: EventData<"greenlight/fulfilment.changed"> }[] {
  announceChange(ctx, "media_buy", mediaBuyId);
  return opened.map(({ id, adapterConfigId }) => ({
    eventId: `fulfilment.changed:${id}:${desiredVersion}`,
    data: { tenantId: ctx.tenantId, mediaBuyId, fulfilmentId: id, adapterConfigId, desiredVersion },
  }));
}

/**
 * The one way by which a change of a media buy (approval, pause, budget, dates, creatives, cancel, retry) reaches its ad servers:
 * raises `desired_version`, marks every fulfilment that has not ended, and writes one event each. Answers the new version.
 */
export async function requestConvergence(ctx: Ctx, mediaBuyId: string): Promise<number> {
  const [buy] = await ctx.db.update(mediaBuys)
    .set({ desiredVersion: sql`${mediaBuys.desiredVersion} + 1`, updatedAt: ctx.now })
    .where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, mediaBuyId)))
    .returning({ desiredVersion: mediaBuys.desiredVersion });
  if (!buy) throw new Error(`Invariant broken: no media buy ${mediaBuyId}`);
  const marked = await ctx.db.update(fulfilments)
    .set({
      desiredVersion: buy.desiredVersion,
      state: sql`case when ${fulfilments.state} in ('applying','awaiting_ad_server') then ${fulfilments.state} else 'pending' end`,
      blockedCode: null, blockedReason: null, updatedAt: ctx.now,
    })
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.mediaBuyId, mediaBuyId), ne(fulfilments.state, "ended")))
    .returning({ id: fulfilments.id, adapterConfigId: fulfilments.adapterConfigId });
  await startConvergence(ctx, mediaBuyId, marked, buy.desiredVersion);
  return buy.desiredVersion;
}
