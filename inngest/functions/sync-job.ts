import { type Executing, inTenant } from "@/lib/fulfilment/call";
import { runSyncJob } from "@/lib/sync-jobs/run";
import { failSyncJob } from "@/lib/sync-jobs/service";
import { type Client, syncJobRequested } from "../client";
import { onceIfBroken, seconds } from "./permanent";

/** A connection test, an inventory sync or a pull of delivery. */
export function syncJob(client: Client, executing: Executing) {
  return client.createFunction({
    id: "sync-job",
    triggers: [syncJobRequested],
    concurrency: { key: "event.data.adapterConfigId", limit: 2 },
    retries: 4,
    onFailure: async ({ event, error, step }) => {
      const { tenantId, syncJobId } = event.data.event.data;
      await step.run("fail", () => inTenant(executing, tenantId, (ctx) => failSyncJob(ctx, { syncJobId, code: "unexpected_error", message: `Greenlight could not go on: ${error.message}` })));
    },
  }, async ({ event, step }) => {
    const { tenantId, syncJobId } = event.data;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await step.run(`attempt ${attempt}`, () => onceIfBroken(() => runSyncJob(executing, { tenantId, syncJobId, attempt })));
      if (outcome.next === "stop") return outcome;
      await step.sleep(`again ${attempt}`, seconds(outcome.delayMs));
    }
  });
}
