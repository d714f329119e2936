import { and, desc, eq } from "drizzle-orm";
import { z } from "zod";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { encryptSecret } from "../crypto";
import { AppError, invariant } from "../errors";
import { newId } from "../ids";
import { isTimeZone } from "../time";
import { assertUnchanged, changedSinceOpened, versionOf } from "../version-of";
import { checkReceiverUrl } from "../webhooks/address";
import { webhookDeliveries } from "../webhooks/schema";
import { queueStaffNotice } from "../webhooks/service";
import { CREATIVE_REVIEW_POLICIES, tenants } from "./schema";

export const settingsInput = z.strictObject({
  timeZone: z.string().trim().refine(isTimeZone, "Use a time zone's full name, such as Europe/Berlin."),
  isReviewRequired: z.boolean(),
  creativeReview: z.enum(CREATIVE_REVIEW_POLICIES, "Choose which."),
  isAdvertiserCreationAllowed: z.boolean(),
  isOverbookingAllowed: z.boolean(),
  decisionTimeMinutes: z.number("Enter a number.").int("Use whole minutes.").min(15, "At least 15 minutes.").max(43_200, "At most 30 days."),
});
export type SettingsInput = z.infer<typeof settingsInput>;
/** With the version of the settings that the form was opened on. */
export const settingsChange = settingsInput.extend({ version: z.string() });

const SETTINGS = {
  timeZone: tenants.timeZone,
  isReviewRequired: tenants.isReviewRequired,
  creativeReview: tenants.creativeReview,
  isAdvertiserCreationAllowed: tenants.isAdvertiserCreationAllowed,
  isOverbookingAllowed: tenants.isOverbookingAllowed,
  decisionTimeMinutes: tenants.decisionTimeMinutes,
};

function settingsOf({ timeZone, isReviewRequired, creativeReview, isAdvertiserCreationAllowed, isOverbookingAllowed, decisionTimeMinutes }: SettingsInput): SettingsInput {
  return { timeZone, isReviewRequired, creativeReview, isAdvertiserCreationAllowed, isOverbookingAllowed, decisionTimeMinutes };
}

/** The publisher's settings, with the version that saveSettings asks for. The staff webhook's address stays out: only its hint is told. */
export async function loadSettings(ctx: Ctx) {
  requirePermission(ctx.actor, "settings.read");
  const [tenant] = await ctx.db.select({ ...SETTINGS, name: tenants.name, slug: tenants.slug, defaultCurrency: tenants.defaultCurrency, isDemo: tenants.isDemo, staffWebhookHint: tenants.staffWebhookHint })
    .from(tenants).where(eq(tenants.id, ctx.tenantId));
  invariant(tenant, `there is a publisher ${ctx.tenantId}`);
  return { ...tenant, version: versionOf(settingsOf(tenant)) };
}

/** Throws CONFLICT when somebody else saved them since `version`. */
export async function saveSettings(ctx: Ctx, { version, ...input }: z.infer<typeof settingsChange>): Promise<void> {
  requirePermission(ctx.actor, "settings.edit");
  const [before] = await ctx.db.select(SETTINGS).from(tenants).where(eq(tenants.id, ctx.tenantId)).for("update");
  invariant(before, `there is a publisher ${ctx.tenantId}`);
  assertUnchanged("The settings", version, versionOf(before));
  await ctx.db.update(tenants).set(input).where(eq(tenants.id, ctx.tenantId));
  await recordAudit(ctx, { action: "settings.updated", objectKind: "publisher", objectId: ctx.tenantId, summary: "Changed the publisher's settings", before, after: input });
}

/**
 * Stores the Slack-compatible address that staff are told at, or forgets it (null). The address is a secret: whoever has it can post
 * there. It is kept encrypted and shown as host and last four characters. `seen`: the hint that the person saw. Throws VALIDATION_ERROR on
 * `url`, CONFLICT when another address is stored by now.
 */
export async function saveStaffWebhook(ctx: Ctx, input: { url: string | null; seen: string | null }): Promise<{ hint: string | null }> {
  requirePermission(ctx.actor, "settings.edit");
  await ctx.db.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, ctx.tenantId)).for("update");
  const before = await loadSettings(ctx);
  if (before.staffWebhookHint !== input.seen) throw changedSinceOpened("The staff webhook");
  const hint = input.url === null ? null : readHint(input.url);
  const sealed = input.url === null ? null : encryptSecret(input.url, `tenants:${ctx.tenantId}:staff_webhook`);
  await ctx.db.update(tenants).set({ staffWebhookEncrypted: sealed, staffWebhookHint: hint }).where(eq(tenants.id, ctx.tenantId));
  await recordAudit(ctx, {
    action: hint === null ? "settings.staff_webhook_removed" : "settings.staff_webhook_saved", objectKind: "publisher", objectId: ctx.tenantId,
    summary: hint === null ? "Removed the staff webhook" : "Saved the staff webhook", before: { staffWebhook: before.staffWebhookHint }, after: { staffWebhook: hint },
  });
  return { hint };
}

/** Queues one message to the staff webhook, so that its address can be seen to work. */
export async function sendStaffTestMessage(ctx: Ctx): Promise<void> {
  requirePermission(ctx.actor, "settings.edit");
  const settings = await loadSettings(ctx);
  if (settings.staffWebhookHint === null) throw new AppError("INVALID_STATE", "No staff webhook is stored. Save its address first.");
  await queueStaffNotice(ctx, {
    eventKey: `staff-test:${newId(ctx.now.getTime())}`, title: "Greenlight can reach you here",
    text: `${ctx.actor.label} sent this test from the settings of ${settings.name}. Orders that wait for a decision will be announced here.`,
    path: `/p/${settings.slug}/settings`, mediaBuyId: null,
  });
  await recordAudit(ctx, { action: "settings.staff_webhook_tested", objectKind: "publisher", objectId: ctx.tenantId, summary: "Sent a test message to the staff webhook" });
}

export type StaffDelivery = Awaited<ReturnType<typeof listStaffDeliveries>>[number];

/** The last messages to staff and how they went, newest first. */
export async function listStaffDeliveries(ctx: Ctx) {
  requirePermission(ctx.actor, "settings.read");
  return ctx.db.select({
    id: webhookDeliveries.id, eventKey: webhookDeliveries.eventKey, state: webhookDeliveries.state, attempts: webhookDeliveries.attempts, lastStatus: webhookDeliveries.lastStatus,
    lastError: webhookDeliveries.lastError, nextAttemptAt: webhookDeliveries.nextAttemptAt, deliveredAt: webhookDeliveries.deliveredAt, createdAt: webhookDeliveries.createdAt,
  }).from(webhookDeliveries).where(and(eq(webhookDeliveries.tenantId, ctx.tenantId), eq(webhookDeliveries.audience, "staff")))
    .orderBy(desc(webhookDeliveries.createdAt), desc(webhookDeliveries.id)).limit(5);
}

function readHint(url: string): string {
  const address = checkReceiverUrl(url, "url");
  return `${address.host} …${url.slice(-4)}`;
}
