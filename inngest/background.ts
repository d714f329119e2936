import { type OutboundEvent } from "@/lib/events/relay";
import { type Client } from "./client";

/** Where functions run: in this process, or on an Inngest server. */
export type Background = {
  /** Resolves when functions run, or can be called. */
  start(): Promise<void>;
  stop(): Promise<void>;
  send(events: OutboundEvent[]): Promise<void>;
  status(): Record<string, unknown>;
};

/** Each event carries its own id: sent twice after a crash, it starts its run once. */
export async function sendEvents(client: Client, events: OutboundEvent[]): Promise<void> {
  await client.send(events);
}
