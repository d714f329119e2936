import { cron } from "inngest";
import { ENGINE_DAYS, expireIdempotencyAnswers, expireSignatureNonces, forgetRateBuckets, forgetWebhookBodies, purgeBuyerCalls, purgeOutbox, purgePreviews, purgeSyncJobs } from "@/lib/housekeeping";
import { rotateSigningKeys } from "@/lib/webhooks/signing-keys";
import { type FunctionNeeds } from "../functions";
import { type Client } from "../client";

/** Each hour: what has been kept long enough, and signing keys that have signed long enough. */
export function housekeeping(client: Client, needs: FunctionNeeds) {
  return client.createFunction({ id: "housekeeping", triggers: [cron("7 * * * *")], concurrency: 1, retries: 0 }, async ({ step }) => {
    await step.run("idempotency answers", () => expireIdempotencyAnswers(needs.now()));
    await step.run("signature nonces", () => expireSignatureNonces());
    await step.run("rate buckets", () => forgetRateBuckets());
    await step.run("previews", () => purgePreviews());
    await step.run("outbox", () => purgeOutbox(needs.now()));
    await step.run("webhook bodies", () => forgetWebhookBodies(needs.now()));
    await step.run("buyers' calls", () => purgeBuyerCalls(needs.now()));
    await step.run("sync jobs", () => purgeSyncJobs(needs.now()));
    await step.run("signing keys", () => rotateSigningKeys(needs.now()));
    await step.run("engine", async () => (await needs.purgeEngine?.(ENGINE_DAYS)) ?? null);
  });
}
