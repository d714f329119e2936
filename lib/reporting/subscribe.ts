import { and, eq, inArray } from "drizzle-orm";
import { z } from "zod";
import { type Ctx } from "../context";
import { loadPublisherDefaults, loadZones } from "../delivery/queries";
import { AppError } from "../errors";
import { newId } from "../ids";
import { type PackageRow } from "../media-buys/queries";
import { type MediaBuyRow } from "../media-buys/transitions";
import { products } from "../products/schema";
import { DAY_MS } from "../time";
import { pushNotificationConfigs } from "../webhooks/schema";
import { registerReceiver } from "../webhooks/service";
import { REPORTED_METRICS, REPORTING_FREQUENCIES, type ReportingFrequency } from "./capabilities";
import { reportingSubscriptions } from "./schema";
import { windowAt } from "./windows";

const FIELD = "reporting_webhook";

/** core/reporting-webhook.json; address and secrets are read by registerReceiver. */
const wish = z.looseObject({ reporting_frequency: z.enum(REPORTING_FREQUENCIES), requested_metrics: z.array(z.string()).optional() });

/** What a product's own details may say. */
const ownCapabilities = z.looseObject({
  reporting_capabilities: z.looseObject({ available_reporting_frequencies: z.array(z.string()).optional(), available_metrics: z.array(z.string()).optional(), supports_webhooks: z.boolean().optional() }).optional(),
});

/**
 * Notes that a buyer wants this order's delivery sent, in place of what it wished before; the sequence of its notices goes on. Throws
 * VALIDATION_ERROR for an address that may not be called, or for what one of the products cannot report.
 */
export async function subscribeToReports(ctx: Ctx, input: { buy: MediaBuyRow; packages: PackageRow[]; config: Record<string, unknown> }): Promise<void> {
  const { buy, packages, config } = input;
  const parsed = wish.safeParse(config);
  if (!parsed.success) throw new AppError("VALIDATION_ERROR", "The reports' frequency is not readable.", { field: `${FIELD}.reporting_frequency`, suggestion: `Use ${REPORTING_FREQUENCIES.join(", ")}.` });
  const { reporting_frequency: frequency, requested_metrics: metrics } = parsed.data;
  await assertReportable(ctx, packages, frequency, metrics ?? []);
  const { id: configId } = await registerReceiver(ctx, { principalId: buy.principalId, mediaBuyId: buy.id, accountId: buy.accountId, purpose: "reporting", config, field: FIELD });
  const timeZone = await zoneOf(ctx, packages);
  const begins = buy.effectiveStartsAt ?? buy.startsAt;
  const { startsAt, dueAt } = windowAt(begins > ctx.now ? begins : ctx.now, frequency, timeZone);
  const next = { configId, frequency, requestedMetrics: metrics ?? null, timeZone, windowStartsAt: startsAt, delayedAt: null, nextCheckAt: new Date(Math.min(dueAt.getTime(), ctx.now.getTime() + DAY_MS)), updatedAt: ctx.now };
  await archiveReceiver(ctx, buy.id);
  await ctx.db.insert(reportingSubscriptions).values({ tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), mediaBuyId: buy.id, ...next, adjustedUntil: ctx.now, createdAt: ctx.now })
    .onConflictDoUpdate({ target: [reportingSubscriptions.tenantId, reportingSubscriptions.mediaBuyId], set: next });
}

async function archiveReceiver(ctx: Ctx, mediaBuyId: string): Promise<void> {
  const current = ctx.db.select({ id: reportingSubscriptions.configId }).from(reportingSubscriptions).where(and(eq(reportingSubscriptions.tenantId, ctx.tenantId), eq(reportingSubscriptions.mediaBuyId, mediaBuyId)));
  await ctx.db.update(pushNotificationConfigs).set({ archivedAt: ctx.now }).where(and(eq(pushNotificationConfigs.tenantId, ctx.tenantId), inArray(pushNotificationConfigs.id, current)));
}

async function assertReportable(ctx: Ctx, packages: PackageRow[], frequency: ReportingFrequency, metrics: string[]): Promise<void> {
  const unknown = metrics.find((metric) => !REPORTED_METRICS.some((known) => known === metric));
  if (unknown !== undefined) throw cannotReport(`the metric ${unknown}`, "requested_metrics");
  const rows = await ctx.db.select({ details: products.details }).from(products).where(and(eq(products.tenantId, ctx.tenantId), inArray(products.id, packages.map(({ productId }) => productId))));
  for (const { details } of rows) {
    const own = ownCapabilities.safeParse(details).data?.reporting_capabilities;
    if (own?.supports_webhooks === false) throw cannotReport("by webhook", "url");
    if (own?.available_reporting_frequencies?.includes(frequency) === false) throw cannotReport(frequency, "reporting_frequency");
    const missing = metrics.find((metric) => metric !== "impressions" && metric !== "spend" && own?.available_metrics?.includes(metric) === false);
    if (missing !== undefined) throw cannotReport(`the metric ${missing}`, "requested_metrics");
  }
}

function cannotReport(what: string, field: string): AppError {
  return new AppError("VALIDATION_ERROR", `A product of this order does not report ${what}.`, { field: `${FIELD}.${field}`, suggestion: "See reporting_capabilities of its products in get_products." });
}

async function zoneOf(ctx: Ctx, packages: PackageRow[]): Promise<string> {
  const first = packages[0]?.sold.targets[0]?.adapterConfigId;
  const zone = first === undefined ? undefined : (await loadZones(ctx, [first])).get(first);
  return zone ?? (await loadPublisherDefaults(ctx)).timeZone;
}
