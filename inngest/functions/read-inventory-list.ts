import { type Reading, readInventoryList } from "@/lib/inventory-lists/read";
import { recheckPackages } from "@/lib/inventory-lists/recheck";
import { type Client, inventoryListRequested } from "../client";
import { onceIfBroken, seconds } from "./permanent";

/** Of one publisher, and of one of its buyers: whose agents are slow keeps nobody else waiting. */
const CONCURRENCY = [{ key: "event.data.tenantId", limit: 5 }, { key: "event.data.principalId", limit: 2 }] as [{ key: string; limit: number }, { key: string; limit: number }];

/** Reads a list that another agent keeps. One that is lost on the way is asked for again by the next call that names it. */
export function readList(client: Client, reading: Reading) {
  return client.createFunction({ id: "read-inventory-list", triggers: [inventoryListRequested], concurrency: CONCURRENCY, retries: 2 }, async ({ event, step }) => {
    for (let round = 0; ; round += 1) {
      const outcome = await step.run(`round ${round}`, () => onceIfBroken(() => readInventoryList(reading, event.data)));
      if (outcome.next === "stop") {
        await step.run("packages", () => onceIfBroken(() => recheckPackages(reading, event.data)));
        return outcome;
      }
      await step.sleep(`backoff ${round}`, seconds(outcome.delayMs));
    }
  });
}
