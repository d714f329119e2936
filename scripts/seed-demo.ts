import { randomInt } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { sql } from "drizzle-orm";
import postgres from "postgres";
import { z } from "zod";
import { type BuyerSession } from "@/lib/adcp/tool";
import { adapterConfigs } from "@/lib/ad-servers/schema";
import { hashPassword } from "@/lib/auth/passwords";
import { memberships } from "@/lib/auth/schema";
import { KIT_KEYS } from "@/lib/buyers/kit-keys";
import { buyerSigningKeys, principals, principalTokens } from "@/lib/buyers/schema";
import { describeToken } from "@/lib/buyers/tokens";
import { type Ctx } from "@/lib/context";
import { encryptSecret } from "@/lib/crypto";
import { lookUp, withTenant } from "@/lib/db/client";
import { env } from "@/lib/env";
import { newId } from "@/lib/ids";
import { log } from "@/lib/log";
import { currencyLimits, pricingOptions, products, productTargets } from "@/lib/products/schema";
import { publisherPartners } from "@/lib/properties/schema";
import { seedCreative } from "@/lib/sandbox/seed-orders";
import { seedProduct as seedTestProduct } from "@/lib/sandbox/seed-products";
import { requestSyncJob } from "@/lib/sync-jobs/service";
import { tenants } from "@/lib/tenants/schema";
import { DEMO_PUBLISHERS, type DemoProduct, type DemoPublisher } from "./demo-publishers";

/** The demo bills by its own count or by these vendors', as publishers do. */
const TERMS_POLICY = { vendors: ["admanager.google.com", "videoamp.example"], windows: ["final", "c7"], minVariancePercent: 10, remedies: ["additional_delivery", "credit"] };

const PASSWORD = "demo-password";

type Options = { adminUrl: string; simulatorUrl: string; dataDir: string; say(line: string): void };
type Inventory = { adUnits: Map<string, { id: string; name: string }> };

/** Makes the demo's publishers that are not there yet. Each is one transaction: a start that was killed leaves none half made. */
export async function seedDemo(options: Options): Promise<void> {
  if (!options.adminUrl) throw new Error("DATABASE_ADMIN_URL is not set: demo mode needs the owner's connection to make its people.");
  const passwordHash = await hashPassword(PASSWORD);
  for (const publisher of DEMO_PUBLISHERS) {
    const [found] = await lookUp(z.object({ tenant_id: z.string() }), sql`select tenant_id from tenant_by_slug(${publisher.slug})`);
    if (found) continue;
    options.say(`Making the demo publisher ${publisher.name} …`);
    const credentials = await readFile(path.join(options.dataDir, "gam-sim", `service-account-${publisher.networkCode}.json`), "utf8");
    const inventory = await readInventory(options.simulatorUrl, publisher.networkCode);
    const staff = await ensureUsers(options.adminUrl, publisher, passwordHash);
    const tenantId = newId();
    await withTenant(tenantId, (db) => seedPublisher({ db, tenantId, actor: { kind: "system", label: "Demo" }, now: new Date(), log }, publisher, credentials, inventory, staff));
  }
}

async function ensureUsers(adminUrl: string, publisher: DemoPublisher, passwordHash: string): Promise<{ userId: string; role: DemoPublisher["staff"][number]["role"] }[]> {
  const admin = postgres(adminUrl, { max: 1 });
  try {
    return await admin.begin(async (tx) => {
      await tx`set local role greenlight_worker`;
      const made = [];
      for (const { email, name, role } of publisher.staff) {
        const [found] = await tx<{ user_id: string }[]>`select user_id from staff_sign_in(${email})`;
        const userId = found?.user_id ?? newId();
        if (!found) await tx`insert into users (id, email, name, password_hash) values (${userId}, ${email}, ${name}, ${passwordHash})`;
        made.push({ userId, role });
      }
      return made;
    });
  } finally {
    await admin.end();
  }
}

const stateSchema = z.object({ networks: z.record(z.string(), z.object({ adUnits: z.array(z.object({ adUnitId: z.string(), adUnitCode: z.string(), displayName: z.string() })) })) });

async function readInventory(simulatorUrl: string, networkCode: string): Promise<Inventory> {
  const response = await fetch(`${simulatorUrl}/__sim/state?network=${networkCode}&collections=adUnits`);
  const state = stateSchema.parse(await response.json());
  return { adUnits: new Map(state.networks[networkCode]?.adUnits.map((unit) => [unit.adUnitCode, { id: unit.adUnitId, name: unit.displayName }])) };
}

async function seedPublisher(ctx: Ctx, publisher: DemoPublisher, credentials: string, inventory: Inventory, staff: { userId: string; role: "admin" | "trafficker" | "viewer" }[]): Promise<void> {
  const { db, tenantId } = ctx;
  await db.insert(tenants).values({
    id: tenantId, slug: publisher.slug, name: publisher.name, isDemo: true, timeZone: publisher.timeZone, defaultCurrency: publisher.currency,
    isAdvertiserCreationAllowed: publisher.isAdvertiserCreationAllowed,
  });
  await db.insert(memberships).values(staff.map(({ userId, role }) => ({ tenantId, userId, role })));
  await db.insert(currencyLimits).values({ tenantId, currency: publisher.currency, minPackageMicros: 100_000_000n, maxDailyPackageMicros: 50_000_000_000n });
  await db.insert(publisherPartners).values({
    tenantId, id: newId(), publisherDomain: publisher.domain, isVerified: true, tags: ["owned_and_operated"],
    properties: [{ property_id: "main_site", property_type: "website", name: publisher.name, identifiers: [{ type: "domain", value: publisher.domain }], tags: ["owned_and_operated"] }],
  });
  const adapterConfigId = newId();
  await db.insert(adapterConfigs).values({
    tenantId, id: adapterConfigId, kind: "google_ad_manager", name: "Google Ad Manager (simulated)", mode: "simulated", currency: publisher.currency, timeZone: publisher.timeZone,
    config: { networkCode: publisher.networkCode, callDeadlineMs: 5_000, lookUpPauseMs: 300 },
    credentialsEncrypted: encryptSecret(credentials, `adapter_configs:${tenantId}:${adapterConfigId}`),
    credentialsHint: z.object({ client_email: z.string() }).parse(JSON.parse(credentials)).client_email,
    ratePerSecond: 100, externalIdBase: randomInt(1, 1_900_000_000),
  });
  for (const [position, product] of publisher.products.entries()) await seedProduct(ctx, product, position, publisher, adapterConfigId, inventory);

  const principalId = newId();
  const tokenId = newId();
  const { tokenHash, prefix } = describeToken(publisher.buyer.token);
  await db.insert(principals).values({ tenantId, id: principalId, name: publisher.buyer.name, isSandbox: true });
  await db.insert(principalTokens).values({ tenantId, id: tokenId, principalId, tokenHash, prefix });
  if (publisher.fixtures) await seedFixtures(ctx, { tokenId, tenantId, principalId, principalName: publisher.buyer.name, isSandbox: true, scopes: [] }, publisher.fixtures);
  if (publisher.signingBuyer) await seedSigningBuyer(ctx, publisher.signingBuyer);
  // The same test and sync that staff would click for; orders can be placed once the worker has verified the connection.
  await requestSyncJob(ctx, { adapterConfigId, kind: "connection_test" });
  await requestSyncJob(ctx, { adapterConfigId, kind: "inventory" });
}

/** What the protocol's compliance kit takes for granted of a sandbox, for its buyer alone: made as the test controller would. */
async function seedFixtures(ctx: Ctx, session: BuyerSession, { products: testProducts, account, creatives }: NonNullable<DemoPublisher["fixtures"]>): Promise<void> {
  for (const { productId, fixture } of testProducts) await seedTestProduct(ctx, session, productId, fixture);
  for (const { creativeId, fixture } of creatives) await seedCreative(ctx, session, creativeId, { account, fixture, agentUrl: env().publicUrl });
}

/** The buyer as whom the protocol's compliance kit signs: a sandbox buyer without a token. */
async function seedSigningBuyer({ db, tenantId, now }: Ctx, name: string): Promise<void> {
  const principalId = newId();
  await db.insert(principals).values({ tenantId, id: principalId, name, isSandbox: true });
  await db.insert(buyerSigningKeys).values(KIT_KEYS.map(({ isRevoked, ...jwk }) => ({ tenantId, id: newId(), principalId, kid: jwk.kid, publicJwk: jwk, revokedAt: isRevoked ? now : null })));
}

async function seedProduct(ctx: Ctx, product: DemoProduct, position: number, publisher: DemoPublisher, adapterConfigId: string, inventory: Inventory): Promise<void> {
  const { db, tenantId } = ctx;
  const id = newId();
  const units = product.target.adUnitCodes.map((code) => {
    const unit = inventory.adUnits.get(code);
    if (!unit) throw new Error(`The simulator has no ad unit ${code}.`);
    return unit;
  });
  await db.insert(products).values({
    tenantId, id, productId: product.productId, name: product.name, description: product.description, channels: product.channels, formatIds: product.formatIds,
    deliveryType: product.deliveryType, isReviewRequired: product.isReviewRequired, termsPolicy: TERMS_POLICY, position,
    collections: (product.collections ?? []).map((collection) => ({ publisherDomain: publisher.domain, ...collection })),
    details: { publisher_properties: [{ publisher_domain: publisher.domain, selection_type: "all" }], delivery_measurement: { provider: "Google Ad Manager" }, measurement_terms: { billing_measurement: { vendor: { domain: "admanager.google.com" }, max_variance_percent: TERMS_POLICY.minVariancePercent }, makegood_policy: { available_remedies: TERMS_POLICY.remedies } } },
  });
  await db.insert(pricingOptions).values(product.pricing.map((pricing) => ({ tenantId, id: newId(), productId: id, currency: publisher.currency, ...pricing })));
  const { lineItemType, priority, sharePercent } = product.target;
  await db.insert(productTargets).values({
    tenantId, productId: id, adapterConfigId,
    config: { adUnitIds: units.map((unit) => unit.id), placementIds: [], lineItemType, ...(priority === undefined ? {} : { priority }), ...(sharePercent === undefined ? {} : { sharePercent }), names: Object.fromEntries(units.map((unit) => [unit.id, unit.name])) },
  });
}
