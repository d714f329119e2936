import { and, eq, inArray, sql } from "drizzle-orm";
import { workflowSteps } from "../approvals/schema";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { isUuid, newId } from "../ids";
import { announceChange } from "../live";
import { settleStatus } from "../media-buys/settle";
import { tenants } from "../tenants/schema";
import { formatDateTime } from "../time";
import { queueStaffNotice } from "../webhooks/service";
import { creatives } from "./schema";
import { lockLibrary, lockServingMediaBuys, reconverge } from "./serving";
import { tellCreativeReceiver } from "./receiver";
import { type CreativeRow } from "./to-desired";
import { assertCreativeMove, type CreativeStatus } from "./transitions";

export const CREATIVE_DECISIONS = ["approve", "reject", "review_again"] as const;
export type CreativeDecision = (typeof CREATIVE_DECISIONS)[number];
export type DecideCreativeInput = { creativeId: string; decision: CreativeDecision; reason?: string; /** The version that was looked at. */ version: number };

const REASON_LENGTH_MAX = 1_000;

const EFFECTS = {
  approve: { status: "approved", action: "creative.approved", said: "was approved", done: "approved" },
  reject: { status: "rejected", action: "creative.rejected", said: "was rejected", done: "rejected" },
  review_again: { status: "pending_review", action: "creative.review_reopened", said: "is reviewed again", done: "reopened the review of" },
} as const satisfies Record<CreativeDecision, { status: CreativeStatus; action: string; said: string; done: string }>;

/**
 * A person's word on a creative, whatever was said before. One transaction: the creative, its question in the queue, the buyer's webhook, and
 * the events by which every order that it belongs to converges: an approved one goes on air, any other one comes off it. Throws
 * PERMISSION_DENIED, CREATIVE_NOT_FOUND, VALIDATION_ERROR without a reason, INVALID_STATE, CONFLICT when it was decided or changed meanwhile.
 */
export async function decideCreative(ctx: Ctx, input: DecideCreativeInput): Promise<void> {
  requirePermission(ctx.actor, "creative.review");
  const reason = input.reason?.trim() ?? "";
  if (input.decision === "reject" && reason === "") throw new AppError("VALIDATION_ERROR", "Give a reason: the buyer will read it.", { field: "reason" });
  if (reason.length > REASON_LENGTH_MAX) throw new AppError("VALIDATION_ERROR", `A reason has at most ${REASON_LENGTH_MAX} characters.`, { field: "reason" });
  const { creative, serving } = await lockCreative(ctx, input.creativeId);
  const { status, action, said } = EFFECTS[input.decision];
  if (creative.version !== input.version) throw await tellConflict(ctx, creative);
  assertCreativeMove(creative.status, status);

  const [decided] = await ctx.db.update(creatives)
    .set({ status, rejectionReason: status === "rejected" ? reason : null, version: creative.version + 1, updatedAt: ctx.now })
    .where(own(ctx, creative.id)).returning();
  if (!decided) throw new Error(`Invariant broken: the creative ${creative.id} vanished`);
  await reflectReview(ctx, [decided], { decision: input.decision, reason: reason === "" ? null : reason });
  const summary = `The creative "${creative.name}" (${creative.creativeId}) ${said}${reason === "" ? "" : `: ${reason}`}`;
  const change = { before: { status: creative.status }, after: { status, ...(status === "rejected" ? { reason } : {}) } };
  await recordAudit(ctx, { action, objectKind: "creative", objectId: creative.id, summary, ...change });
  // The order's own timeline tells of it too.
  for (const mediaBuyId of serving) await recordAudit(ctx, { action, objectKind: "media_buy", objectId: mediaBuyId, mediaBuyId, summary });
  await tellCreativeReceiver(ctx, decided);
  await reconverge(ctx, serving);
  for (const mediaBuyId of serving) await settleStatus(ctx, mediaBuyId);
}

/** Locks in the order that every path keeps: the library, the orders that it runs in, the creative. */
async function lockCreative(ctx: Ctx, id: string): Promise<{ creative: CreativeRow; serving: string[] }> {
  const [known] = isUuid(id) ? await ctx.db.select({ accountId: creatives.accountId }).from(creatives).where(own(ctx, id)) : [];
  if (!known) throw new AppError("CREATIVE_NOT_FOUND", "There is no such creative here.");
  await lockLibrary(ctx, known.accountId);
  const serving = await lockServingMediaBuys(ctx, [id]);
  const [creative] = await ctx.db.select().from(creatives).where(own(ctx, id)).for("update");
  if (!creative) throw new Error(`Invariant broken: the creative ${id} vanished`);
  return { creative, serving };
}

async function tellConflict(ctx: Ctx, creative: CreativeRow): Promise<AppError> {
  const steps = await ctx.db.select({ decision: workflowSteps.decision, by: workflowSteps.decidedByLabel, at: workflowSteps.decidedAt, timeZone: tenants.timeZone }).from(workflowSteps)
    .innerJoin(tenants, eq(tenants.id, workflowSteps.tenantId))
    .where(and(eq(workflowSteps.tenantId, ctx.tenantId), eq(workflowSteps.creativeId, creative.id), inArray(workflowSteps.state, ["approved", "rejected"])))
    .orderBy(sql`${workflowSteps.decidedAt} desc`).limit(1);
  const [last] = steps;
  const suggestion = "Look at it as it is now, then decide.";
  // Only what changed it last is told: a buyer may have sent it anew since.
  if (!last?.at || last.at < creative.updatedAt || !isDecision(last.decision)) return new AppError("CONFLICT", "This creative has changed since you looked at it.", { suggestion });
  return new AppError("CONFLICT", `${last.by ?? "Somebody"} ${EFFECTS[last.decision].done} this creative on ${formatDateTime(last.at, last.timeZone)}.`, { suggestion });
}

function isDecision(text: string | null): text is CreativeDecision {
  return CREATIVE_DECISIONS.some((decision) => decision === text);
}

/**
 * Brings the queue in step with creatives whose status or content was written: one open question for each that waits, none for the others.
 * @param answer what closed the question or asked it anew, and in which words
 */
export async function reflectReview(ctx: Ctx, rows: readonly Pick<CreativeRow, "id" | "status">[], answer: { decision: CreativeDecision | "withdrawn"; reason: string | null }): Promise<void> {
  const waiting = rows.filter(({ status }) => status === "pending_review");
  const others = rows.filter(({ status }) => status !== "pending_review");
  if (waiting.length > 0) {
    const payload = answer.decision === "review_again" && answer.reason !== null ? { reason: answer.reason } : {};
    await ctx.db.insert(workflowSteps)
      .values(waiting.map(({ id }, index) => ({ tenantId: ctx.tenantId, id: newId(ctx.now.getTime() + index), kind: "creative_review" as const, state: "requires_approval" as const, creativeId: id, payload, createdAt: ctx.now, updatedAt: ctx.now })))
      .onConflictDoNothing();
  }
  if (others.length > 0) {
    const isApproved = answer.decision === "approve";
    const closed = await ctx.db.update(workflowSteps)
      .set({
        state: answer.decision === "withdrawn" ? "completed" : isApproved ? "approved" : "rejected", decision: answer.decision, reason: answer.reason,
        decidedBy: ctx.actor.kind === "user" ? ctx.actor.userId : null, decidedByLabel: ctx.actor.label, decidedAt: ctx.now, updatedAt: ctx.now,
      })
      .where(and(eq(workflowSteps.tenantId, ctx.tenantId), inArray(workflowSteps.creativeId, others.map(({ id }) => id)), eq(workflowSteps.state, "requires_approval")))
      .returning({ creativeId: workflowSteps.creativeId });
    await noteUnasked(ctx, others.filter(({ id }) => !closed.some(({ creativeId }) => creativeId === id)), answer);
  }
  for (const { id } of rows) announceChange(ctx, "creative", id);
  const [first] = rows;
  if (first) announceChange(ctx, "queue", first.id);
}

/** A decision that nobody had asked for is kept as one all the same: who took a creative off air is seen beside who let it on. */
async function noteUnasked(ctx: Ctx, rows: readonly { id: string }[], { decision, reason }: { decision: CreativeDecision | "withdrawn"; reason: string | null }): Promise<void> {
  if (decision === "withdrawn" || rows.length === 0) return;
  await ctx.db.insert(workflowSteps).values(rows.map(({ id }, index) => ({
    tenantId: ctx.tenantId, id: newId(ctx.now.getTime() + index), kind: "creative_review" as const, state: decision === "approve" ? "approved" as const : "rejected" as const, creativeId: id, decision, reason,
    decidedBy: ctx.actor.kind === "user" ? ctx.actor.userId : null, decidedByLabel: ctx.actor.label, decidedAt: ctx.now, createdAt: ctx.now, updatedAt: ctx.now,
  })));
}

/** Tells staff, once per change of theirs, that creatives wait. */
export async function tellStaffOfWaiting(ctx: Ctx, rows: readonly CreativeRow[], publisher: { slug: string }): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const others = rows.length - 1;
  await queueStaffNotice(ctx, {
    eventKey: `creative_review:${first.id}:${first.version}`, title: rows.length === 1 ? "A creative waits for your review" : `${rows.length} creatives wait for your review`,
    text: `${first.name}${others > 0 ? ` and ${others} more` : ""}, from ${ctx.actor.label}`, path: `/p/${publisher.slug}/approvals?kind=creative_review`, mediaBuyId: null,
  });
}

function own(ctx: Ctx, id: string) {
  return and(eq(creatives.tenantId, ctx.tenantId), eq(creatives.id, id));
}
