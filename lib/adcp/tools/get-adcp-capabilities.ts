import { readCatalog } from "../../products/catalog";
import { COLLECTION_FEATURE, MEDIA_BUY_FEATURES } from "../../products/features";
import { HOUR_MS, SECOND_MS } from "../../time";
import { SCENARIO_NAMES } from "../../sandbox/controller";
import { SUPPORTED_MAJOR_VERSIONS, SUPPORTED_VERSIONS } from "../versions";
import { REPLAY_WINDOW_HOURS } from "../idempotency";
import { type Tool } from "../tool";

/** Claims that the protocol's compliance run checks one by one: named once all their tools exist. */
const SPECIALISMS = ["sales-guaranteed", "sales-non-guaranteed", "sales-proposal-mode", "governance-aware-seller"] as const;

/** Scenarios of the test controller that the schema of the capabilities does not know; list_scenarios names them. */
const NOT_DECLARED = new Set(["force_create_media_buy_arm", "force_task_completion"]);

/** What this seller can do, no more. */
export const getAdcpCapabilitiesTool: Tool = {
  kind: "read",
  name: "get_adcp_capabilities",
  title: "What this seller can do",
  description: "The protocol versions, pricing models, targeting, account rules and signing that this seller supports, and the publishers it sells for.",
  access: "public",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  async run(call, input) {
    const { publisherName, publisherDomains, channels, pricingModels, targetingDimensions, hasCollections } = await readCatalog(call);
    const isAsked = !Array.isArray(input.protocols) || input.protocols.includes("media_buy");
    const mediaBuy = {
      ...(pricingModels.length > 0 ? { supported_pricing_models: pricingModels } : {}),
      features: { ...MEDIA_BUY_FEATURES, [COLLECTION_FEATURE]: hasCollections },
      ...(targetingDimensions.includes("geo_countries") ? { execution: { targeting: { geo_countries: true } } } : {}),
      reporting_delivery_methods: ["webhook"],
      portfolio: { publisher_domains: publisherDomains, ...(channels.length > 0 ? { primary_channels: channels } : {}), description: publisherName },
    };
    return {
      payload: {
        adcp: { major_versions: SUPPORTED_MAJOR_VERSIONS, supported_versions: [...SUPPORTED_VERSIONS], idempotency: { supported: true, replay_ttl_seconds: (REPLAY_WINDOW_HOURS * HOUR_MS) / SECOND_MS } },
        supported_protocols: ["media_buy"],
        specialisms: SPECIALISMS,
        account: { require_operator_auth: false, supported_billing: ["operator", "agent", "advertiser"], required_for_products: false, account_financials: false, sandbox: true },
        ...(isAsked ? { media_buy: mediaBuy } : {}),
        request_signing: { supported: true, covers_content_digest: "either", required_for: call.signing.isSigningRequired ? call.changes() : [], supported_for: call.changes() },
        ...(call.session?.isSandbox ? { compliance_testing: { scenarios: SCENARIO_NAMES.filter((name) => /^(force|simulate)_/.test(name) && !NOT_DECLARED.has(name)) } } : {}),
        webhook_signing: { supported: true, profile: "adcp/webhook-signing/v1", algorithms: ["ed25519"], legacy_hmac_fallback: true },
      },
      summary: `${publisherName} sells media buys over AdCP 3.`,
    };
  },
};
