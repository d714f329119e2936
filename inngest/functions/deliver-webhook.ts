import { MINUTE_MS } from "@/lib/time";
import { attemptDelivery, type Delivering } from "@/lib/webhooks/deliver";
import { type Client, webhookQueued } from "../client";
import { onceIfBroken, seconds } from "./permanent";

/** Sends one notification. Short backoffs are slept here; after a long one the clock starts it again from its row. */
export function deliverWebhook(client: Client, delivering: Delivering) {
  return client.createFunction({
    id: "deliver-webhook",
    triggers: [webhookQueued],
    concurrency: { key: "event.data.tenantId", limit: 10 },
    retries: 4,
  }, async ({ event, step }) => {
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await step.run(`attempt ${attempt}`, () => onceIfBroken(() => attemptDelivery(delivering, event.data)));
      if (outcome.next === "stop" || outcome.delayMs > MINUTE_MS) return outcome;
      await step.sleep(`backoff ${attempt}`, seconds(outcome.delayMs));
    }
  });
}
