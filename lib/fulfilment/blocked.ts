import { and, asc, eq, inArray, sql, type SQL } from "drizzle-orm";
import { accounts } from "../accounts/schema";
import { externalObjects } from "../ad-servers/schema";
import { type StepChoice, workflowSteps } from "../approvals/schema";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError, invariant } from "../errors";
import { isUuid, newId } from "../ids";
import { announceChange } from "../live";
import { type MediaBuyStatus, mediaBuys } from "../media-buys/schema";
import { transitionMediaBuy } from "../media-buys/transitions";
import { tenants } from "../tenants/schema";
import { queueStaffNotice } from "../webhooks/service";
import { lockMediaBuyOf } from "./lease";
import { type ChoiceId, DEFAULT_CHOICES } from "./policy";
import { requestConvergence } from "./request";
import { fulfilments } from "./schema";

/** Where execution cannot go on without a person: the order stops with a reason in words, and waits in the queue with labelled choices. */

export type Block = { code: string; reason: string; choices: StepChoice[] };

type Stop = Block & {
  fulfilmentId: string;
  /** blocked: a person must choose. failed: our own mistake; a person may have it tried again. */
  state: "blocked" | "failed";
  /** Under which the write is allowed: the fence of a lease. */
  where: SQL | undefined;
  set?: Partial<Pick<typeof fulfilments.$inferInsert, "drift" | "appliedVersion" | "observedAt">>;
};

/** Stops a fulfilment, opens (or renews) its one workflow step, and tells staff. False: the fence was closed, nothing was written. */
export async function blockFulfilment(ctx: Ctx, stop: Stop): Promise<boolean> {
  const [row] = await ctx.db.update(fulfilments)
    .set({
      ...stop.set, state: stop.state, blockedCode: stop.code, blockedReason: stop.reason, leaseOwner: null, leaseUntil: null,
      waitingSince: null, waitCount: 0, updatedAt: ctx.now,
    })
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.id, stop.fulfilmentId), stop.where))
    .returning({ mediaBuyId: fulfilments.mediaBuyId, desiredVersion: fulfilments.desiredVersion });
  if (!row) return false;
  const payload = { code: stop.code, reason: stop.reason, choices: stop.choices };
  const [step] = await ctx.db.insert(workflowSteps)
    .values({ tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), kind: "fulfilment_blocked", state: "pending", mediaBuyId: row.mediaBuyId, fulfilmentId: stop.fulfilmentId, payload, createdAt: ctx.now, updatedAt: ctx.now })
    .onConflictDoUpdate({
      target: [workflowSteps.tenantId, workflowSteps.fulfilmentId],
      targetWhere: sql`kind = 'fulfilment_blocked' and state = 'pending'`,
      set: { payload, updatedAt: ctx.now },
    })
    .returning({ id: workflowSteps.id });
  invariant(step, "a blocked fulfilment has no workflow step");
  await recordAudit(ctx, { action: `fulfilment.${stop.state}`, objectKind: "fulfilment", objectId: stop.fulfilmentId, mediaBuyId: row.mediaBuyId, summary: `Stopped: ${stop.reason}`, after: { code: stop.code } });
  await tellStaff(ctx, stop, row);
  announceChange(ctx, "media_buy", row.mediaBuyId);
  announceChange(ctx, "queue", step.id);
  return true;
}

async function tellStaff(ctx: Ctx, { fulfilmentId, code, reason }: Stop, { mediaBuyId, desiredVersion }: { mediaBuyId: string; desiredVersion: number }): Promise<void> {
  const [buy] = await ctx.db.select({ name: mediaBuys.name, slug: tenants.slug }).from(mediaBuys).innerJoin(tenants, eq(tenants.id, mediaBuys.tenantId))
    .where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, mediaBuyId)));
  invariant(buy, `no media buy ${mediaBuyId}`);
  await queueStaffNotice(ctx, { eventKey: `fulfilment:${fulfilmentId}:${desiredVersion}:${code}`, title: `“${buy.name}” is stopped`, text: reason, path: `/p/${buy.slug}/media-buys/${mediaBuyId}`, mediaBuyId });
}

/** Closes the open question about a fulfilment that no longer stands: a change of the order answered it. */
export async function withdrawBlock(ctx: Ctx, fulfilmentId: string, reason: string): Promise<void> {
  const closed = await ctx.db.update(workflowSteps)
    .set({ state: "completed", decision: "withdrawn", reason, decidedByLabel: ctx.actor.label, decidedAt: ctx.now, updatedAt: ctx.now })
    .where(and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.fulfilmentId, fulfilmentId), eq(workflowSteps.kind, "fulfilment_blocked"), eq(workflowSteps.state, "pending")))
    .returning({ id: workflowSteps.id });
  for (const { id } of closed) announceChange(ctx, "queue", id);
}

/** A person's answer to a blocked order. Throws PERMISSION_DENIED, REFERENCE_NOT_FOUND, VALIDATION_ERROR, CONFLICT when it was answered meanwhile. */
export async function resolveBlocked(ctx: Ctx, input: { stepId: string; choiceId: string; note?: string }): Promise<void> {
  requirePermission(ctx.actor, "media_buy.decide");
  const its = and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.id, input.stepId), eq(workflowSteps.kind, "fulfilment_blocked"));
  const [known] = isUuid(input.stepId) ? await ctx.db.select({ fulfilmentId: workflowSteps.fulfilmentId }).from(workflowSteps).where(its) : [];
  if (!known?.fulfilmentId) throw new AppError("REFERENCE_NOT_FOUND", "This task does not exist.");
  await lockMediaBuyOf(ctx, known.fulfilmentId);
  const [step] = await ctx.db.select().from(workflowSteps).where(its).for("update");
  invariant(step?.fulfilmentId && step.mediaBuyId, "a workflow step vanished");
  if (step.state !== "pending") throw new AppError("CONFLICT", `${step.decidedByLabel ?? "Somebody"} has answered this meanwhile.`, { suggestion: "Reload to see where the order stands." });
  const choice = step.payload.choices?.find(({ id }) => id === input.choiceId);
  if (!choice) throw new AppError("VALIDATION_ERROR", "This is not one of the choices.", { field: "choiceId" });

  await ctx.db.update(workflowSteps)
    .set({ state: "completed", decision: choice.id, reason: input.note ?? null, decidedBy: ctx.actor.kind === "user" ? ctx.actor.userId : null, decidedByLabel: ctx.actor.label, decidedAt: ctx.now, updatedAt: ctx.now })
    .where(and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.id, step.id)));
  await recordAudit(ctx, { action: "fulfilment.resolved", objectKind: "fulfilment", objectId: step.fulfilmentId, mediaBuyId: step.mediaBuyId, summary: `${choice.label}${input.note ? `: ${input.note}` : ""}`, after: { choice: choice.id } });
  announceChange(ctx, "queue", step.id);
  await apply(ctx, choice.id as ChoiceId, step.fulfilmentId, step.mediaBuyId, input.note);
}

async function apply(ctx: Ctx, choice: ChoiceId, fulfilmentId: string, mediaBuyId: string, note: string | undefined): Promise<void> {
  switch (choice) {
    case "overbook":
    case "skip_inventory_check":
      await setFulfilment(ctx, fulfilmentId, { inventoryOverride: choice });
      break;
    case "retry":
      await forgetDrifted(ctx, fulfilmentId);
      break;
    case "accept":
      await acceptDrift(ctx, fulfilmentId);
      announceChange(ctx, "media_buy", mediaBuyId);
      return;
    case "give_up":
      if (await giveUp(ctx, mediaBuyId, note)) break;
      await endFulfilment(ctx, fulfilmentId, mediaBuyId);
      return;
    case "keep_waiting":
      break;
  }
  await requestConvergence(ctx, mediaBuyId);
}

async function setFulfilment(ctx: Ctx, id: string, set: Partial<typeof fulfilments.$inferInsert>): Promise<void> {
  await ctx.db.update(fulfilments).set({ ...set, updatedAt: ctx.now }).where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.id, id)));
}

/** The differences stay visible. A newer version that is on its way meanwhile goes on undisturbed. */
async function acceptDrift(ctx: Ctx, id: string): Promise<void> {
  await ctx.db.update(fulfilments).set({ state: "in_sync", blockedCode: null, blockedReason: null, updatedAt: ctx.now })
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.id, id), eq(fulfilments.state, "blocked"), eq(fulfilments.blockedCode, "drift")));
}

/** What differs in the ad server counts as never written, so that the next plan writes it again. */
async function forgetDrifted(ctx: Ctx, fulfilmentId: string): Promise<void> {
  const [row] = await ctx.db.select({ drift: fulfilments.drift, adapterConfigId: fulfilments.adapterConfigId }).from(fulfilments)
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.id, fulfilmentId)));
  if (!row || row.drift.length === 0) return;
  await ctx.db.update(externalObjects).set({ applied: {}, updatedAt: ctx.now }).where(and(
    eq(externalObjects.tenantId, ctx.tenantId), eq(externalObjects.adapterConfigId, row.adapterConfigId), eq(externalObjects.fulfilmentId, fulfilmentId),
    inArray(externalObjects.ourKey, row.drift.map(({ ourKey }) => ourKey)),
  ));
}

const BEFORE_ACTIVE: readonly MediaBuyStatus[] = ["pending_creatives", "pending_start"];
const SINCE_ACTIVE: readonly MediaBuyStatus[] = ["active", "paused"];

/** Staff give up: rejected when it never ran, else canceled by the seller. The buyer sees it, and whatever was booked is ended. False: it has ended already. */
async function giveUp(ctx: Ctx, mediaBuyId: string, note: string | undefined): Promise<boolean> {
  const [buy] = await ctx.db.select({ status: mediaBuys.status }).from(mediaBuys).where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, mediaBuyId)));
  invariant(buy, `no media buy ${mediaBuyId}`);
  const reason = note ?? "The publisher could not book this order in its ad server.";
  if (BEFORE_ACTIVE.includes(buy.status)) await transitionMediaBuy(ctx, { mediaBuyId, from: BEFORE_ACTIVE, to: "rejected", set: { rejectionReason: reason } });
  else if (SINCE_ACTIVE.includes(buy.status)) await transitionMediaBuy(ctx, { mediaBuyId, from: SINCE_ACTIVE, to: "canceled", set: { canceledAt: ctx.now, canceledBy: "seller", cancellationReason: reason } });
  else return false;
  return true;
}

/** The ad server would not even end the order, and staff let it be. A version that is on its way meanwhile goes on undisturbed. */
async function endFulfilment(ctx: Ctx, id: string, mediaBuyId: string): Promise<void> {
  const ended = await ctx.db.update(fulfilments).set({ state: "ended", blockedCode: null, blockedReason: null, updatedAt: ctx.now })
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.id, id), inArray(fulfilments.state, ["blocked", "failed"]))).returning({ id: fulfilments.id });
  if (ended.length === 0) return;
  await recordAudit(ctx, { action: "fulfilment.ended", objectKind: "fulfilment", objectId: id, mediaBuyId, summary: "Given up: the ad server is left as it is" });
  announceChange(ctx, "media_buy", mediaBuyId);
}

const NO_FULFILMENT = "This order is not booked through such a connection.";

/** Retry from the screen: everything of this order that is not in the ad server yet is planned and tried again. */
export async function retryFulfilment(ctx: Ctx, input: { fulfilmentId: string }): Promise<void> {
  requirePermission(ctx.actor, "media_buy.retry");
  if (!isUuid(input.fulfilmentId)) throw new AppError("REFERENCE_NOT_FOUND", NO_FULFILMENT);
  await lockMediaBuyOf(ctx, input.fulfilmentId);
  const [row] = await ctx.db.select({ state: fulfilments.state, mediaBuyId: fulfilments.mediaBuyId }).from(fulfilments)
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.id, input.fulfilmentId)));
  if (!row) throw new AppError("REFERENCE_NOT_FOUND", NO_FULFILMENT);
  if (row.state !== "blocked" && row.state !== "failed") throw new AppError("CONFLICT", "This connection is not stopped any more.", { suggestion: "Reload to see where the order stands." });
  await forgetDrifted(ctx, input.fulfilmentId);
  await withdrawBlock(ctx, input.fulfilmentId, "Retried");
  await recordAudit(ctx, { action: "fulfilment.retried", objectKind: "fulfilment", objectId: input.fulfilmentId, mediaBuyId: row.mediaBuyId, summary: "Retried" });
  await requestConvergence(ctx, row.mediaBuyId);
}

/** Once an advertiser stands for an account on a connection, the orders that waited for it go on. Answers how many. */
export async function retryBlockedForAccount(ctx: Ctx, input: { accountId: string; adapterConfigId: string }): Promise<number> {
  const waiting = await ctx.db.select({ mediaBuyId: fulfilments.mediaBuyId }).from(fulfilments)
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, fulfilments.tenantId), eq(mediaBuys.id, fulfilments.mediaBuyId)))
    .innerJoin(accounts, and(eq(accounts.tenantId, mediaBuys.tenantId), eq(accounts.id, mediaBuys.accountId)))
    .where(and(
      eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.adapterConfigId, input.adapterConfigId), eq(accounts.id, input.accountId),
      eq(fulfilments.state, "blocked"), eq(fulfilments.blockedCode, "choose_advertiser"),
    )).orderBy(asc(fulfilments.mediaBuyId));
  for (const { mediaBuyId } of waiting) await requestConvergence(ctx, mediaBuyId);
  return waiting.length;
}

/** What an unexpected failure of the function itself leaves behind, unless a newer version is on its way. */
export async function failFulfilment(ctx: Ctx, input: { fulfilmentId: string; desiredVersion: number; reason: string }): Promise<boolean> {
  await lockMediaBuyOf(ctx, input.fulfilmentId);
  return blockFulfilment(ctx, {
    fulfilmentId: input.fulfilmentId, state: "failed", code: "unexpected_error", reason: input.reason, choices: DEFAULT_CHOICES,
    where: and(sql`${fulfilments.desiredVersion} <= ${input.desiredVersion}`, inArray(fulfilments.state, ["pending", "applying", "awaiting_ad_server"])),
  });
}

/** Reasons that end when a connection's key, settings or rights are put right. */
export const CONNECTION_CODES = ["credentials_refused", "credentials_invalid", "credentials_unreadable", "no_credentials", "connection_config", "permission_denied"];

/** Once a connection passes its test again, the orders that stopped because of it go on. Answers how many. */
export async function retryBlockedForConnection(ctx: Ctx, input: { adapterConfigId: string }): Promise<number> {
  const waiting = await ctx.db.select({ mediaBuyId: fulfilments.mediaBuyId }).from(fulfilments)
    .where(and(
      eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.adapterConfigId, input.adapterConfigId), eq(fulfilments.state, "blocked"), inArray(fulfilments.blockedCode, CONNECTION_CODES),
    )).orderBy(asc(fulfilments.mediaBuyId));
  for (const { mediaBuyId } of waiting) await requestConvergence(ctx, mediaBuyId);
  return waiting.length;
}
