import { failFulfilment } from "@/lib/fulfilment/blocked";
import { type Executing, inTenant } from "@/lib/fulfilment/call";
import { converge, type Steps } from "@/lib/fulfilment/converge";
import { CONNECTION_CONCURRENCY } from "@/lib/fulfilment/policy";
import { type Client, fulfilmentChanged } from "../client";
import { onceIfBroken, seconds } from "./permanent";

/** A newer version of the same order at the same connection. */
const NEXT_CHANGE = "async.data.fulfilmentId == event.data.fulfilmentId && async.data.desiredVersion > event.data.desiredVersion";

/** One run per version and connection; lib/fulfilment/converge.ts says what it does. */
export function convergeFulfilment(client: Client, executing: Executing) {
  return client.createFunction({
    id: "converge-fulfilment",
    triggers: [fulfilmentChanged],
    // Limits executing steps; the lease on the fulfilment's row is what keeps runs of one order apart.
    concurrency: { key: "event.data.adapterConfigId", limit: CONNECTION_CONCURRENCY },
    retries: 6,
    onFailure: async ({ event, error, step }) => {
      const { tenantId, fulfilmentId, desiredVersion } = event.data.event.data;
      await step.run("fail", () => inTenant(executing, tenantId, (ctx) => failFulfilment(ctx, { fulfilmentId, desiredVersion, reason: `Greenlight could not go on: ${error.message}` })));
    },
  }, async ({ event, step, runId }) => {
    const steps: Steps = {
      // Every result of a step is plain JSON: what comes back from the executor is what went in.
      run: async (name, work) => (await step.run(name, () => onceIfBroken(work))) as Awaited<ReturnType<typeof work>>,
      sleep: async (name, ms) => step.sleep(name, seconds(ms)),
      park: async (name, ms) => void (await step.waitForEvent(name, { event: fulfilmentChanged, timeout: seconds(ms), if: NEXT_CHANGE })),
    };
    return converge(steps, executing, { tenantId: event.data.tenantId, fulfilmentId: event.data.fulfilmentId, runId });
  });
}
