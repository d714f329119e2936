import { type AdServerDeclaration } from "../types";
import { gamConnectionSchema, gamTargetSchema } from "./config";
import { parseServiceAccountKey } from "./credentials";
import { checkLine } from "./line-items";
import { plan } from "./plan";
import { TARGETING_DIMENSIONS } from "./targeting";

export const GAM_KIND = "google_ad_manager";

export const gamDeclaration: AdServerDeclaration = {
  kind: GAM_KIND,
  label: "Google Ad Manager",
  capabilities: { pricingModels: ["cpm", "cpc", "time", "flat_rate"], creativeSources: ["image_url", "html", "script_url", "vast_url", "native"], targetingDimensions: TARGETING_DIMENSIONS },
  connectionSchema: gamConnectionSchema,
  productTargetSchema: gamTargetSchema,
  networkKey: (config) => gamConnectionSchema.parse(config).networkCode,
  // 2/s a network is the figure of the older API; the REST API publishes none.
  defaultRatePerSecond: { live: 2, simulated: 100 },
  parseCredentials: (text) => ({ hint: parseServiceAccountKey(text).client_email }),
  checkLine,
  plan,
};
