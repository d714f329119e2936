import { and, count, desc, eq, gte, inArray, isNull, ne, sql } from "drizzle-orm";
import { accounts } from "../accounts/schema";
import { requirePermission } from "../auth/permissions";
import { buyerSigningKeys, principalTokens } from "../buyers/schema";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { mediaBuys } from "../media-buys/schema";
import { type PageQuery, pageWindow } from "../paging";
import { addMs, DAY_MS } from "../time";
import { buyerCalls, OK } from "./schema";

const LISTED = {
  id: buyerCalls.id, at: buyerCalls.at, tool: buyerCalls.tool, transport: buyerCalls.transport, outcome: buyerCalls.outcome, refusal: buyerCalls.refusal, field: buyerCalls.field,
  message: buyerCalls.message, durationMs: buyerCalls.durationMs, calls: buyerCalls.calls, credential: sql<string | null>`coalesce(${principalTokens.prefix}, ${buyerSigningKeys.kid}, ${buyerCalls.tokenPrefix})`,
};

export type CallListInput = PageQuery & { principalId: string; show: "all" | "failed"; tool: string };
export type CallListRow = Awaited<ReturnType<typeof listCalls>>["rows"][number];

/** A buyer's calls, newest first, with how many rows each view has and which tools occur. */
export async function listCalls(ctx: Ctx, input: CallListInput) {
  requirePermission(ctx.actor, "buyer.read");
  const own = and(eq(buyerCalls.tenantId, ctx.tenantId), eq(buyerCalls.principalId, input.principalId));
  const ofTool = and(own, input.tool === "" ? undefined : eq(buyerCalls.tool, input.tool));
  const { limit, offset } = pageWindow(input);
  const [rows, [counts = { all: 0, failed: 0 }], tools] = await Promise.all([
    withCredential(ctx).where(and(ofTool, input.show === "failed" ? ne(buyerCalls.outcome, OK) : undefined)).orderBy(desc(buyerCalls.at), desc(buyerCalls.id)).limit(limit).offset(offset),
    ctx.db.select({ all: count(), failed: sql<number>`count(*) filter (where ${buyerCalls.outcome} <> 'ok')::int` }).from(buyerCalls).where(ofTool),
    ctx.db.selectDistinct({ tool: buyerCalls.tool }).from(buyerCalls).where(own).orderBy(buyerCalls.tool).limit(100),
  ]);
  return { rows, counts, total: counts[input.show], tools: tools.map(({ tool }) => tool) };
}

const STRANGERS_MAX = 20;

/** The last calls that are nobody's: tokens that this publisher never issued, and calls without one that needed one. */
export async function listStrangers(ctx: Ctx) {
  requirePermission(ctx.actor, "buyer.read");
  return withCredential(ctx).where(and(eq(buyerCalls.tenantId, ctx.tenantId), isNull(buyerCalls.principalId), gte(buyerCalls.at, addMs(ctx.now, -DAY_MS)))).orderBy(desc(buyerCalls.at), desc(buyerCalls.id)).limit(STRANGERS_MAX);
}

export type CallView = Awaited<ReturnType<typeof loadCall>>;

/** One recorded call with everything that is kept of it. Throws REFERENCE_NOT_FOUND. */
export async function loadCall(ctx: Ctx, input: { principalId: string; id: string }) {
  requirePermission(ctx.actor, "buyer.read");
  const isNumber = /^\d{1,15}$/.test(input.id);
  const [found] = isNumber ? await ctx.db.select({ call: buyerCalls, credential: LISTED.credential, accountName: accounts.name, mediaBuyName: mediaBuys.name }).from(buyerCalls)
    .leftJoin(principalTokens, ofToken).leftJoin(buyerSigningKeys, ofKey)
    .leftJoin(accounts, and(eq(accounts.tenantId, buyerCalls.tenantId), eq(accounts.id, buyerCalls.accountId), eq(accounts.principalId, buyerCalls.principalId)))
    .leftJoin(mediaBuys, and(eq(mediaBuys.tenantId, buyerCalls.tenantId), eq(mediaBuys.id, buyerCalls.mediaBuyId), eq(mediaBuys.principalId, buyerCalls.principalId)))
    .where(and(eq(buyerCalls.tenantId, ctx.tenantId), eq(buyerCalls.principalId, input.principalId), eq(buyerCalls.id, Number(input.id)))) : [];
  if (!found) throw new AppError("REFERENCE_NOT_FOUND", "This call is not, or no longer, on record.");
  const { call, ...names } = found;
  return { ...call, ...names };
}

export type CallSummary = { principalId: string; calls: number; failed: number; lastFailure: { at: Date; tool: string; outcome: string } | null };

/** Calls of the last 24 hours by buyer. */
export async function summariseCalls(ctx: Ctx, principalIds: string[]): Promise<CallSummary[]> {
  requirePermission(ctx.actor, "buyer.read");
  if (principalIds.length === 0) return [];
  const recent = and(eq(buyerCalls.tenantId, ctx.tenantId), inArray(buyerCalls.principalId, principalIds), gte(buyerCalls.at, addMs(ctx.now, -DAY_MS)));
  const [totals, failures] = await Promise.all([
    ctx.db.select({ principalId: buyerCalls.principalId, calls: sql<number>`sum(${buyerCalls.calls})::int`, failed: sql<number>`coalesce(sum(${buyerCalls.calls}) filter (where ${buyerCalls.outcome} <> 'ok'), 0)::int` })
      .from(buyerCalls).where(recent).groupBy(buyerCalls.principalId),
    ctx.db.selectDistinctOn([buyerCalls.principalId], { principalId: buyerCalls.principalId, at: buyerCalls.at, tool: buyerCalls.tool, outcome: buyerCalls.outcome })
      .from(buyerCalls).where(and(recent, ne(buyerCalls.outcome, OK))).orderBy(buyerCalls.principalId, desc(buyerCalls.at), desc(buyerCalls.id)),
  ]);
  return totals.flatMap(({ principalId, calls, failed }) => {
    if (principalId === null) return [];
    const failure = failures.find((row) => row.principalId === principalId);
    return [{ principalId, calls, failed, lastFailure: failure ? { at: failure.at, tool: failure.tool, outcome: failure.outcome } : null }];
  });
}

const ofToken = and(eq(principalTokens.tenantId, buyerCalls.tenantId), eq(principalTokens.id, buyerCalls.tokenId));
const ofKey = and(eq(buyerSigningKeys.tenantId, buyerCalls.tenantId), eq(buyerSigningKeys.id, buyerCalls.tokenId));

function withCredential(ctx: Ctx) {
  return ctx.db.select(LISTED).from(buyerCalls).leftJoin(principalTokens, ofToken).leftJoin(buyerSigningKeys, ofKey);
}
