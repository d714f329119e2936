import { adServerBaseUrl } from "@/lib/ad-servers/base-url";
import { adServerDriver } from "@/lib/ad-servers/drivers";
import { adServerDeclaration } from "@/lib/ad-servers/registry";
import { withTenant } from "@/lib/db/client";
import { type Executing } from "@/lib/fulfilment/call";
import { log } from "@/lib/log";

/** What execution is made of in production. The one place where drivers enter. */
export const executing: Executing = {
  transact: withTenant,
  declaration: adServerDeclaration,
  driver: adServerDriver,
  baseUrl: adServerBaseUrl,
  now: () => new Date(),
  log,
};
