import { z } from "zod";
import { listen } from "./db/client";
import { LIVE_TOPICS, type LiveTopic } from "./live";
import { log } from "./log";

/** What a screen is told: that something changed, never what. `reset`: notifications may have been lost, look at everything. */
export type LiveChange = { topic: LiveTopic | "reset"; id: string };
type Subscriber = { tenantId: string; onChange: (change: LiveChange) => void };
type Hub = { subscribers: Set<Subscriber>; ready: Promise<unknown> };

// One LISTEN per process, shared by every module instance in it.
const globals = globalThis as typeof globalThis & { __greenlightLive?: Hub };

const payloadSchema = z.tuple([z.uuid(), z.enum(LIVE_TOPICS), z.string()]);

/** Calls `onChange` for each change in this tenant until the returned function is called. Rejects when the database cannot be listened to. */
export async function subscribeToChanges(tenantId: string, onChange: (change: LiveChange) => void): Promise<() => void> {
  const hub = (globals.__greenlightLive ??= openHub());
  try {
    await hub.ready;
  } catch (error) {
    if (globals.__greenlightLive === hub) delete globals.__greenlightLive;
    throw error;
  }
  const subscriber = { tenantId, onChange };
  hub.subscribers.add(subscriber);
  return () => void hub.subscribers.delete(subscriber);
}

function openHub(): Hub {
  const subscribers = new Set<Subscriber>();
  const tell = (change: LiveChange, tenantId?: string) => {
    for (const subscriber of subscribers) if (!tenantId || subscriber.tenantId === tenantId) subscriber.onChange(change);
  };
  const onPayload = (payload: string) => {
    const parsed = payloadSchema.safeParse(payload.split(" "));
    if (parsed.success) tell({ topic: parsed.data[1], id: parsed.data[2] }, parsed.data[0]);
    else log.warn("A notification for screens has an unknown form.", { payload });
  };
  return { subscribers, ready: listen("greenlight_live", onPayload, () => tell({ topic: "reset", id: "" })) };
}
