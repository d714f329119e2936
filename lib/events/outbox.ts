import { type Ctx } from "../context";
import { notifyAfterCommit } from "../db/client";
import { EVENTS, type EventData, type EventName } from "./events";
import { outbox } from "./schema";

type Event<N extends EventName> = { eventId: string; data: EventData<N> };

/**
 * Writes events in the transaction of the change that causes them; the relay sends them on afterwards.
 * `eventId` names the effect (`fulfilment.changed:<id>:<version>`): a second row with the same id is dropped.
 */
export async function enqueueEvents<N extends EventName>(ctx: Ctx, name: N, events: Event<N>[]): Promise<void> {
  if (events.length === 0) return;
  await ctx.db.insert(outbox).values(outboxRows(ctx, name, events)).onConflictDoNothing({ target: outbox.eventId });
}

/** The rows of events that cannot exist yet, for a change that writes all its rows together. Wakes the relay after the commit. */
export function outboxRows<N extends EventName>(ctx: Ctx, name: N, events: Event<N>[]): (typeof outbox.$inferInsert)[] {
  notifyAfterCommit(ctx.db, "greenlight_outbox", "");
  return events.map(({ eventId, data }) => ({ tenantId: ctx.tenantId, eventId, name, data: EVENTS[name].parse(data) as Record<string, unknown>, createdAt: ctx.now }));
}
