import { z } from "zod";

/** Every event that a state change may cause. The outbox accepts these alone; functions trigger on them. */
export const EVENTS = {
  /** A media buy changed what this connection must reflect. One per fulfilment, written by the change itself. */
  "greenlight/fulfilment.changed": z.object({ tenantId: z.uuid(), mediaBuyId: z.uuid(), fulfilmentId: z.uuid(), adapterConfigId: z.uuid(), desiredVersion: z.number().int() }),
  /** A webhook row waits for its first delivery, or for a replay. */
  "greenlight/webhook.queued": z.object({ tenantId: z.uuid(), deliveryId: z.uuid() }),
  /** An order waits for the governance agents of its account. */
  "greenlight/governance.requested": z.object({ tenantId: z.uuid(), reviewId: z.uuid() }),
  /** A buyer uses a list of another agent that is not known, or no longer valid. */
  "greenlight/inventory-list.requested": z.object({ tenantId: z.uuid(), principalId: z.uuid(), listId: z.uuid() }),
  /** A connection test or inventory sync was asked for. */
  "greenlight/sync-job.requested": z.object({ tenantId: z.uuid(), syncJobId: z.uuid(), adapterConfigId: z.uuid(), kind: z.enum(["connection_test", "inventory", "delivery", "availability"]) }),
} as const;

export type EventName = keyof typeof EVENTS;
export type EventData<N extends EventName> = z.infer<(typeof EVENTS)[N]>;
