import { type Reading, readPropertyList } from "@/lib/property-lists/read";
import { type Client, propertyListRequested } from "../client";
import { onceIfBroken, seconds } from "./permanent";

/** Reads a list that another agent keeps. One that is lost on the way is asked for again by the next call that names it. */
export function readList(client: Client, reading: Reading) {
  return client.createFunction({ id: "read-property-list", triggers: [propertyListRequested], concurrency: { key: "event.data.tenantId", limit: 5 }, retries: 2 }, async ({ event, step }) => {
    for (let round = 0; ; round += 1) {
      const outcome = await step.run(`round ${round}`, () => onceIfBroken(() => readPropertyList(reading, event.data)));
      if (outcome.next === "stop") return outcome;
      await step.sleep(`backoff ${round}`, seconds(outcome.delayMs));
    }
  });
}
