import { type Governing, runReview } from "@/lib/governance/run";
import { MINUTE_MS } from "@/lib/time";
import { type Client, governanceRequested } from "../client";
import { onceIfBroken, seconds } from "./permanent";

/** Asks the governance agents of one order. Short backoffs are slept here; after a long one the clock starts it again from its rows. */
export function checkGovernance(client: Client, governing: Governing) {
  return client.createFunction({
    id: "check-governance",
    triggers: [governanceRequested],
    concurrency: { key: "event.data.tenantId", limit: 10 },
    retries: 4,
  }, async ({ event, step }) => {
    for (let round = 0; ; round += 1) {
      const outcome = await step.run(`round ${round}`, () => onceIfBroken(() => runReview(governing, event.data)));
      if (outcome.next === "stop" || outcome.delayMs > MINUTE_MS) return outcome;
      await step.sleep(`backoff ${round}`, seconds(outcome.delayMs));
    }
  });
}
