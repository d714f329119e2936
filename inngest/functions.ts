import { type Executing } from "@/lib/fulfilment/call";
import { type Resolver } from "@/lib/webhooks/address";
import { type Client } from "./client";
import { checkGovernance } from "./functions/check-governance";
import { clock } from "./functions/clock";
import { convergeFulfilment } from "./functions/converge-fulfilment";
import { deliverWebhook } from "./functions/deliver-webhook";
import { housekeeping } from "./functions/housekeeping";
import { readList } from "./functions/read-inventory-list";
import { sendReports } from "./functions/send-reports";
import { syncJob } from "./functions/sync-job";

export type FunctionNeeds = Executing & { resolve: Resolver; /** The embedded executor's own tables; a real server keeps its own. */ purgeEngine?(olderThanDays: number): Promise<unknown> };

/** Everything that runs in the background. */
export function createFunctions(client: Client, needs: FunctionNeeds) {
  return [convergeFulfilment(client, needs), deliverWebhook(client, needs), checkGovernance(client, needs), readList(client, needs), syncJob(client, needs), clock(client, needs), sendReports(client, needs), housekeeping(client, needs)];
}
