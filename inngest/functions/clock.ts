import { cron } from "inngest";
import { type Executing } from "@/lib/fulfilment/call";
import { wakeLostFulfilments } from "@/lib/fulfilment/sweep";
import { wakeLostReviews } from "@/lib/governance/sweep";
import { advanceClock } from "@/lib/media-buys/clock";
import { refreshListsInUse } from "@/lib/inventory-lists/sweep";
import { scheduleAvailabilitySyncs, scheduleDeliveryPulls } from "@/lib/sync-jobs/schedule";
import { wakeLostSyncJobs } from "@/lib/sync-jobs/sweep";
import { wakeDueDeliveries } from "@/lib/webhooks/sweep";
import { type Client } from "../client";

/** Each minute: flights that begin and end, delivery that is due, and whatever has lost its wake-up. Side by side, so that one that fails stops no other. */
export function clock(client: Client, executing: Executing) {
  return client.createFunction({ id: "clock", triggers: [cron("* * * * *")], concurrency: 1, retries: 0 }, async ({ step }) => {
    await Promise.all([
      step.run("flights", () => advanceClock(executing.now())),
      step.run("webhooks", () => wakeDueDeliveries(executing)),
      step.run("sync jobs", () => wakeLostSyncJobs(executing)),
      step.run("governance", () => wakeLostReviews(executing)),
      step.run("inventory lists", () => refreshListsInUse(executing)),
      step.run("delivery", () => scheduleDeliveryPulls(executing)),
      step.run("availability", () => scheduleAvailabilitySyncs(executing)),
      step.run("fulfilments", () => wakeLostFulfilments(executing)),
    ]);
  });
}
