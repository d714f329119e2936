import { and, eq, ne, sql } from "drizzle-orm";
import { type PgColumn } from "drizzle-orm/pg-core";
import { type Ctx } from "../context";
import { compiled } from "../db/client";
import { type EventData } from "../events/events";
import { enqueueEvents } from "../events/outbox";
import { newId } from "../ids";
import { announceChange } from "../live";
import { mediaBuys } from "../media-buys/schema";
import { fulfilments } from "./schema";

type Marked = { id: string; adapterConfigId: string; desiredVersion: number };

/** Opens one fulfilment per connection for a new media buy. Nothing is executed before `requestConvergence`. */
export async function openFulfilments(ctx: Ctx, mediaBuyId: string, adapterConfigIds: string[], desiredVersion: number): Promise<Marked[]> {
  const rows = fulfilmentRows(ctx, mediaBuyId, adapterConfigIds, desiredVersion);
  if (rows.length > 0) await ctx.db.insert(fulfilments).values(rows);
  return rows;
}

/** The rows of new fulfilments, for a change that writes all its rows together. */
export function fulfilmentRows(ctx: Ctx, mediaBuyId: string, adapterConfigIds: string[], desiredVersion: number) {
  return adapterConfigIds.map((adapterConfigId) => ({ tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), mediaBuyId, adapterConfigId, desiredVersion, createdAt: ctx.now, updatedAt: ctx.now }));
}

type ChangedEvent = { eventId: string; data: EventData<"greenlight/fulfilment.changed"> };

/** The events that start execution of fulfilments at the version they carry, for a change that writes all its rows together. Tells open screens after the commit. */
export function changedEvents(ctx: Ctx, mediaBuyId: string, marked: Marked[]): ChangedEvent[] {
  announceChange(ctx, "media_buy", mediaBuyId);
  return marked.map(({ id, adapterConfigId, desiredVersion }) => ({
    eventId: `fulfilment.changed:${id}:${desiredVersion}`,
    data: { tenantId: ctx.tenantId, mediaBuyId, fulfilmentId: id, adapterConfigId, desiredVersion },
  }));
}

/**
 * The one way by which a change of a media buy (approval, pause, budget, dates, creatives, cancel, retry) reaches its ad servers:
 * raises `desired_version`, marks every fulfilment that has not ended, and writes one event each.
 */
export async function requestConvergence(ctx: Ctx, mediaBuyId: string): Promise<void> {
  await enqueueEvents(ctx, "greenlight/fulfilment.changed", await markForConvergence(ctx, mediaBuyId));
}

const at = sql.placeholder;
const now = (column: PgColumn) => sql`${sql.param(at("now"), column)}`;
const raise = compiled((db) => db.update(mediaBuys)
  .set({ desiredVersion: sql`${mediaBuys.desiredVersion} + 1`, updatedAt: now(mediaBuys.updatedAt) })
  .where(and(eq(mediaBuys.tenantId, at("tenantId")), eq(mediaBuys.id, at("mediaBuyId"))))
  .returning({ desiredVersion: mediaBuys.desiredVersion }));
// A statement of its own: one that waited for the order's lock would not see fulfilments that were opened meanwhile.
const mark = compiled((db) => db.update(fulfilments)
  .set({
    desiredVersion: sql`${mediaBuys.desiredVersion}`,
    state: sql`case when ${fulfilments.state} in ('applying','awaiting_ad_server') then ${fulfilments.state} else 'pending' end`,
    blockedCode: null, blockedReason: null, updatedAt: now(fulfilments.updatedAt),
  })
  .from(mediaBuys)
  .where(and(
    eq(mediaBuys.tenantId, at("tenantId")), eq(mediaBuys.id, at("mediaBuyId")),
    eq(fulfilments.tenantId, mediaBuys.tenantId), eq(fulfilments.mediaBuyId, mediaBuys.id), ne(fulfilments.state, "ended"),
  ))
  .returning({ id: fulfilments.id, adapterConfigId: fulfilments.adapterConfigId, desiredVersion: fulfilments.desiredVersion }));

/** The same without its events, for a change that writes all its rows together. */
export async function markForConvergence(ctx: Ctx, mediaBuyId: string): Promise<ChangedEvent[]> {
  const values = { tenantId: ctx.tenantId, mediaBuyId, now: ctx.now };
  // They travel together, in this order.
  const [raised, marked] = await Promise.all([raise(ctx.db, values), mark(ctx.db, values)]);
  if (raised.length === 0) throw new Error(`Invariant broken: no media buy ${mediaBuyId}`);
  return changedEvents(ctx, mediaBuyId, marked);
}
