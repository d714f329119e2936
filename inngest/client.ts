import { eventType, Inngest } from "inngest";
import { EVENTS } from "@/lib/events/events";
import { type Log, log } from "@/lib/log";

/** Name of this app on an Inngest server: function ids begin with it. It never changes. */
const APP_ID = "greenlight";

/**
 * With `fetch`: the embedded executor's side of the protocol, in this process; nothing leaves it, so nothing is signed. Without: the server
 * that the INNGEST_ variables name, which the SDK reads itself (docs/operations.md).
 */
export function createInngest({ fetch }: { fetch?: typeof globalThis.fetch } = {}) {
  const common = { id: APP_ID, logger: toSdkLogger(log.child({ part: "inngest" })), checkpointing: false, aiMetadata: false, sessionPropagation: false } as const;
  return fetch ? new Inngest({ ...common, fetch, isDev: true, baseUrl: "http://embedded.invalid", eventKey: "embedded" }) : new Inngest(common);
}

export type Client = ReturnType<typeof createInngest>;

export const fulfilmentChanged = eventType("greenlight/fulfilment.changed", { schema: EVENTS["greenlight/fulfilment.changed"] });
export const webhookQueued = eventType("greenlight/webhook.queued", { schema: EVENTS["greenlight/webhook.queued"] });
export const governanceRequested = eventType("greenlight/governance.requested", { schema: EVENTS["greenlight/governance.requested"] });
export const inventoryListRequested = eventType("greenlight/inventory-list.requested", { schema: EVENTS["greenlight/inventory-list.requested"] });
export const syncJobRequested = eventType("greenlight/sync-job.requested", { schema: EVENTS["greenlight/sync-job.requested"] });

/** The SDK passes a message, or an object and a message, or both ways round. */
function toSdkLogger(target: Log) {
  const write = (level: "debug" | "info" | "warn" | "error") => (...parts: unknown[]) => {
    const message = parts.find((part) => typeof part === "string");
    const details = parts.filter((part) => part !== message);
    target[level](typeof message === "string" ? message : "Message of the SDK", details.length > 0 ? { details } : {});
  };
  return { debug: write("debug"), info: write("debug"), warn: write("warn"), error: write("error") };
}
