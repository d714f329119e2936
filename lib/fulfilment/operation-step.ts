import { and, eq } from "drizzle-orm";
import { accountAdvertisers, accounts } from "../accounts/schema";
import { AdServerError, type OperationResult } from "../ad-servers/types";
import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { announceChange } from "../live";
import { blockFulfilment, CONNECTION_CODES } from "./blocked";
import { callAdServer, createCall, type Executing, inTenant } from "./call";
import { loadOrderParts, type OrderParts } from "./desired";
import { findOperation, isUnderWayElsewhere, markDone, markFailed, markPlannedAgain, markStarted, markUnknown, type OperationRow, underWayMs } from "./journal";
import { fence, type Lease, released, releaseLease, renewLease, takeLease } from "./lease";
import { type Run } from "./plan-step";
import { DEFAULT_CHOICES, OPERATION_DEADLINE_MS, retryDelayMs, WAITED_TOO_LONG_CHOICES, waitDelayMs } from "./policy";
import { fulfilments } from "./schema";

export type OperationStep =
  | { next: "continue" }
  /** Plan anew at once: a newer version, a lost lease, or an answer that changed what is known. */
  | { next: "again" }
  /** Plan anew after this time, or as soon as the order changes. The lease is free meanwhile. */
  | { next: "park"; delayMs: number; because: string }
  | { next: "stop"; because: "blocked" };

/** All orders of an account share its advertiser: only one of them makes it. */
const ADVERTISER_CREATION = "create-advertiser";
const ADVERTISER_DELAY_MS = 2_000;

/**
 * One remote effect: (1) the intent is committed, (2) the ad server is called, outside any transaction, (3) the result is
 * committed. Whatever dies between two of these instructions, the next attempt finds the intent, waits until nobody can be at it any
 * more, and looks the effect up in the ad server before it repeats it.
 */
export async function runOperation(executing: Executing, run: Run, work: { operationId: string; version: number; isResolving: boolean }): Promise<OperationStep> {
  const since = performance.now();
  const begun = await inTenant(executing, run.tenantId, (ctx) => beginOperation(ctx, run, work));
  if ("next" in begun) return begun;
  const { kind, payload, attempts } = begun.operation;
  const { connection } = begun.parts;
  const answer = await callAdServer(OPERATION_DEADLINE_MS[connection.mode], async (signal) =>
    executing.driver(connection.kind).execute({ kind, payload, attempts }, createCall(executing, connection, signal)), since);
  if (answer instanceof AdServerError) executing.log.warn("An ad-server operation failed", { run, operation: begun.operation.operationKey, code: answer.code, error: answer });
  return inTenant(executing, run.tenantId, (ctx) => finishOperation(ctx, begun, answer, work.isResolving));
}

type Begun = { lease: Lease; parts: OrderParts; operation: OperationRow };

async function beginOperation(ctx: Ctx, run: Run, { operationId, version, isResolving }: { operationId: string; version: number; isResolving: boolean }): Promise<Begun | OperationStep> {
  const lease = await takeLease(ctx, run.fulfilmentId, run.runId);
  if (!lease) return { next: "again" };
  const [parts, found] = await Promise.all([loadOrderParts(ctx, run.fulfilmentId), findOperation(ctx, operationId)]);
  if (!isResolving && parts.fulfilment.desiredVersion > version) return { next: "again" };
  if (!found || found.state === "superseded" || found.state === "failed") return { next: "again" };
  if (found.state === "done") return { next: "continue" };
  const deadlineMs = OPERATION_DEADLINE_MS[parts.connection.mode];
  const delayMs = underWayMs([found], deadlineMs);
  if (delayMs > 0) return park(ctx, lease, delayMs, "An earlier attempt may still be under way");
  if (found.kind === ADVERTISER_CREATION && await isAdvertiserUnderWay(ctx, parts, deadlineMs)) return park(ctx, lease, ADVERTISER_DELAY_MS, "Another order creates the advertiser");
  const operation = await markStarted(ctx, operationId);
  announceChange(ctx, "media_buy", parts.buy.id);
  return { lease, parts, operation };
}

async function isAdvertiserUnderWay(ctx: Ctx, { fulfilment, buy, connection }: OrderParts, deadlineMs: number): Promise<boolean> {
  // Locked until this transaction has noted its own start: of two, one sees the other.
  await ctx.db.select({ id: accounts.id }).from(accounts).where(and(eq(accounts.tenantId, ctx.tenantId), eq(accounts.id, buy.accountId))).for("no key update");
  return isUnderWayElsewhere(ctx, { fulfilmentId: fulfilment.id, adapterConfigId: connection.id, accountId: buy.accountId, kind: ADVERTISER_CREATION, deadlineMs });
}

async function park(ctx: Ctx, lease: Lease, delayMs: number, because: string): Promise<OperationStep> {
  await releaseLease(ctx, lease);
  return { next: "park", delayMs, because };
}

async function finishOperation(ctx: Ctx, begun: Begun, answer: OperationResult | AdServerError, isResolving: boolean): Promise<OperationStep> {
  // Locks the fulfilment, so that no change slips in between. A closed fence: somebody else found our intent, and looks the effect up.
  if (!(await renewLease(ctx, begun.lease))) return { next: "again" };
  announceChange(ctx, "media_buy", begun.parts.buy.id);
  if (answer instanceof AdServerError) return finishWithError(ctx, begun, answer, isResolving);
  switch (answer.outcome) {
    case "done":
      await markDone(ctx, begun.operation, begun.parts.connection.id, answer);
      await rememberAdvertiser(ctx, begun, answer.externalIds.advertiser);
      return { next: "continue" };
    case "wait":
      return waitForAdServer(ctx, begun, answer);
    case "blocked":
      await markFailed(ctx, begun.operation.id, { code: answer.code, message: answer.reason, correlationId: answer.correlationId });
      return isResolving ? { next: "again" } : stop(ctx, begun, answer);
  }
}

/** From here on this advertiser stands for the account; one that staff chose meanwhile stays. */
async function rememberAdvertiser(ctx: Ctx, { operation, parts: { buy, account, connection } }: Begun, externalAdvertiserId: string | undefined): Promise<void> {
  if (operation.kind !== ADVERTISER_CREATION || externalAdvertiserId === undefined) return;
  await ctx.db.insert(accountAdvertisers)
    .values({ tenantId: ctx.tenantId, accountId: buy.accountId, adapterConfigId: connection.id, externalAdvertiserId, advertiserName: account.name, createdAt: ctx.now, updatedAt: ctx.now })
    .onConflictDoNothing();
  await recordAudit(ctx, { action: "account.advertiser_created", objectKind: "account", objectId: account.id, mediaBuyId: buy.id, summary: `Account “${account.name}” is advertiser ${externalAdvertiserId} in “${connection.name}”` });
}

async function finishWithError(ctx: Ctx, begun: Begun, error: AdServerError, isResolving: boolean): Promise<OperationStep> {
  const { lease, operation } = begun;
  if (isResolving && [...CONNECTION_CODES, "connection_archived"].includes(error.code)) {
    // Says nothing about what an earlier attempt made: that stays unknown until the connection works again.
    await markUnknown(ctx, operation.id, error);
    return stop(ctx, begun, { code: error.code, reason: error.message, choices: DEFAULT_CHOICES });
  }
  if (error.options.isPermanent) {
    await markFailed(ctx, operation.id, { code: error.code, message: error.message, correlationId: error.options.correlationId });
    return isResolving ? { next: "again" } : stop(ctx, begun, { code: error.code, reason: error.message, choices: DEFAULT_CHOICES });
  }
  if (error.options.isAmbiguous || isResolving) await markUnknown(ctx, operation.id, error);
  else await markPlannedAgain(ctx, operation.id, { error });
  const delayMs = retryDelayMs(operation.attempts, ctx.now.getTime() - operation.createdAt.getTime(), error.options.retryAfterMs);
  if (delayMs !== null) return park(ctx, lease, delayMs, error.message);
  return stop(ctx, begun, { code: error.code, reason: `${error.message} (tried ${operation.attempts} times)`, choices: DEFAULT_CHOICES });
}

async function waitForAdServer(ctx: Ctx, begun: Begun, answer: { reason: string; correlationId?: string }): Promise<OperationStep> {
  const { lease, operation, parts: { fulfilment } } = begun;
  const waitingSince = fulfilment.waitingSince ?? ctx.now;
  await markPlannedAgain(ctx, operation.id, { correlationId: answer.correlationId });
  const delayMs = waitDelayMs(fulfilment.waitCount, ctx.now.getTime() - waitingSince.getTime());
  if (delayMs === null) return stop(ctx, begun, { code: "waited_too_long", reason: `${answer.reason} It has been so for a day.`, choices: WAITED_TOO_LONG_CHOICES });
  await ctx.db.update(fulfilments)
    .set({ state: "awaiting_ad_server", blockedReason: answer.reason, waitingSince, waitCount: fulfilment.waitCount + 1, updatedAt: ctx.now, ...released }).where(fence(lease));
  return { next: "park", delayMs, because: answer.reason };
}

async function stop(ctx: Ctx, { lease }: Begun, block: { code: string; reason: string; choices: { id: string; label: string }[] }): Promise<OperationStep> {
  await blockFulfilment(ctx, { fulfilmentId: lease.fulfilmentId, state: "blocked", code: block.code, reason: block.reason, choices: block.choices, where: fence(lease) });
  return { next: "stop", because: "blocked" };
}
