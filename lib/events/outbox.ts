import { type Ctx } from "../context";
import { notifyAfterCommit } from "../db/client";
import { EVENTS, type EventData, type EventName } from "./events";
import { outbox } from "./schema";

/**
 * Writes events in the transaction of the change that causes them; the relay sends them on afterwards.
 * `eventId` names the effect (`fulfilment.changed:<id>:<version>`): a second row with the same id is dropped.
 */
export async function enqueueEvents<N extends EventName>(ctx: Ctx, name: N, events: { eventId: string; data: EventData<N> }[]): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map(({ eventId, data }) => ({ tenantId: ctx.tenantId, eventId, name, data: EVENTS[name].parse(data) as Record<string, unknown>, createdAt: ctx.now }));
  await ctx.db.insert(outbox).values(rows).onConflictDoNothing({ target: outbox.eventId });
  notifyAfterCommit(ctx.db, "greenlight_outbox", "");
}
