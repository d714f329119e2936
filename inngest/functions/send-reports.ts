import { cron } from "inngest";
import { type Executing } from "@/lib/fulfilment/call";
import { sendDueReports } from "@/lib/reporting/sweep";
import { type Client } from "../client";

/** Every five minutes: delivery reports that buyers asked to be sent. */
export function sendReports(client: Client, executing: Executing) {
  return client.createFunction({ id: "send-reports", triggers: [cron("*/5 * * * *")], concurrency: 1, retries: 0 }, async ({ step }) => {
    await step.run("due", () => sendDueReports(executing));
  });
}
