import postgres from "postgres";
import { z } from "zod";
import { toWireId } from "@/lib/ids";

export type Verdict = { orders: number; lost: number; doubled: number; stuck: number; findings: string[] };

const text = z.string();
const stateSchema = z.object({
  networks: z.record(z.string(), z.object({
    orders: z.array(z.object({ name: text, displayName: text })),
    lineItems: z.array(z.object({ name: text, displayName: text, order: text })),
    creatives: z.array(z.object({ name: text, displayName: text })),
    associations: z.array(z.object({ lineItem: text, creative: text })),
    companies: z.array(z.object({ name: text, displayName: text, type: text })),
  })),
});

type Package = { packageId: string; mediaBuyId: string; key: string; creatives: number; state: string | null; isCurrent: boolean };

/**
 * Compares what buyers were promised with what the ad server holds: each key one media buy, each media buy one order, each package one
 * line item, each assignment one association, each account one advertiser; each fulfilment in sync.
 */
export async function judge({ adminUrl, simulatorUrl, keys }: { adminUrl: string; simulatorUrl: string; keys: string[] }): Promise<Verdict> {
  const findings: string[] = [];
  const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined });
  const buys = await admin<{ key: string; mediaBuyId: string }[]>`select raw_request->>'idempotency_key' as key, id as "mediaBuyId" from media_buys`;
  const packages = await admin<Package[]>`
    select p.id as "packageId", p.media_buy_id as "mediaBuyId", b.raw_request->>'idempotency_key' as key, f.state, coalesce(f.applied_version = f.desired_version, false) as "isCurrent",
      (select count(*)::int from creative_assignments a where a.tenant_id = p.tenant_id and a.package_id = p.id) as creatives
    from media_packages p join media_buys b on b.tenant_id = p.tenant_id and b.id = p.media_buy_id
    left join fulfilments f on f.tenant_id = b.tenant_id and f.media_buy_id = b.id`;
  await admin.end();
  const answer = await fetch(`${simulatorUrl}/__sim/state?network=21700000001`);
  const state = Object.values(stateSchema.parse(await answer.json()).networks)[0];
  if (!state) throw new Error("The simulator shows no network.");

  const lost = new Set<string>();
  const doubled = new Set<string>();
  const stuck = new Set<string>();
  const blame = (set: Set<string>, key: string, why: string) => {
    set.add(key);
    findings.push(`${key}: ${why}`);
  };
  for (const key of keys) {
    const own = buys.filter((buy) => buy.key === key);
    if (own.length === 0) blame(lost, key, "no media buy is stored");
    if (own.length > 1) blame(doubled, key, `${own.length} media buys are stored`);
  }
  for (const { key, mediaBuyId } of buys) {
    const suffix = toWireId("mediaBuy", mediaBuyId);
    const orders = state.orders.filter((order) => order.displayName.includes(suffix));
    if (orders.length === 0) blame(lost, key, "the ad server has no order");
    if (orders.length > 1) blame(doubled, key, `the ad server has ${orders.length} orders`);
  }
  const lineItemsOf = new Map(packages.map((pack) => [pack.packageId, state.lineItems.filter((line) => line.displayName.includes(toWireId("package", pack.packageId)))]));
  for (const pack of packages) {
    const lines = lineItemsOf.get(pack.packageId) ?? [];
    if (lines.length === 0) blame(lost, pack.key, "a package has no line item");
    if (lines.length > 1) blame(doubled, pack.key, `a package has ${lines.length} line items`);
    const associations = state.associations.filter((link) => lines.some((line) => line.name === link.lineItem));
    if (associations.length < pack.creatives) blame(lost, pack.key, `${pack.creatives - associations.length} creatives are not associated`);
    if (associations.length > pack.creatives) blame(doubled, pack.key, `${associations.length - pack.creatives} associations too many`);
    if (pack.state !== "in_sync" || !pack.isCurrent) blame(stuck, pack.key, `its fulfilment is ${pack.state ?? "missing"}`);
  }
  const advertisers = state.companies.filter(({ type }) => type === "ADVERTISER").map((company) => company.displayName);
  for (const name of new Set(advertisers)) if (advertisers.filter((other) => other === name).length > 1) blame(doubled, name, "the advertiser exists more than once");
  const names = state.creatives.map((creative) => creative.displayName);
  for (const name of new Set(names)) if (names.filter((other) => other === name).length > 1) blame(doubled, name, "the creative exists more than once");
  return { orders: keys.length, lost: lost.size, doubled: doubled.size, stuck: stuck.size, findings };
}
