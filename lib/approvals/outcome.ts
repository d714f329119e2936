import { and, eq } from "drizzle-orm";
import { z } from "zod";
import { type AccountRow } from "../accounts/present";
import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { env } from "../env";
import { requestConvergence } from "../fulfilment/request";
import { fulfilments } from "../fulfilment/schema";
import { presentGovernance } from "../governance/present";
import { effectiveStart } from "../media-buys/flight";
import { presentConfirmation, presentSoldPackage } from "../media-buys/present";
import { type AssignedCreative, creativeReadiness, type PackageRow } from "../media-buys/queries";
import { endTask, type TaskError } from "../media-buys/tasks";
import { type MediaBuyRow, nextStatusAfterConfirmation, transitionMediaBuy } from "../media-buys/transitions";

/** How an order that waited ends its waiting, whoever decides: a person, or the governance agents of its account. Callers hold its locks. */

/** What the buyer said of each package, to be echoed as it was. */
const requestedPackages = z.array(z.looseObject({ format_ids: z.array(z.looseObject({ agent_url: z.string(), id: z.string() })).optional(), agency_estimate_number: z.string().optional() }));

export type Confirmable = { buy: MediaBuyRow; account: AccountRow; packages: PackageRow[]; assigned: AssignedCreative[]; taskId: string | null };

/** Confirms an order: its status, the result of the buyer's task, and the events that start execution. */
export async function confirmOrder(ctx: Ctx, { buy, account, packages, assigned, taskId }: Confirmable, said: { message: string; action: string; summary: string }): Promise<void> {
  const confirmed = await transitionMediaBuy(ctx, {
    mediaBuyId: buy.id, from: ["pending_approval"], to: nextStatusAfterConfirmation(creativeReadiness(packages, assigned)),
    set: { confirmedAt: ctx.now, effectiveStartsAt: effectiveStart(buy.startsAt, ctx.now) },
  });
  const requested = requestedPackages.safeParse(buy.rawRequest.packages).data ?? [];
  const presenting = { buy: confirmed, assigned, agentUrl: new URL(env().publicUrl).origin };
  const shown = packages.map((row) => presentSoldPackage(row, presenting, requested[row.position]));
  const result = { ...presentConfirmation(confirmed, account, shown), ...(await presentGovernance(ctx, buy.id)) };
  if (taskId) await endTask(ctx, taskId, { status: "completed", message: said.message, result });
  await requestConvergence(ctx, buy.id);
  await recordAudit(ctx, {
    action: said.action, objectKind: "media_buy", objectId: buy.id, mediaBuyId: buy.id, summary: said.summary,
    before: { status: buy.status, revision: buy.revision }, after: { status: confirmed.status, revision: confirmed.revision, effective_start_time: confirmed.effectiveStartsAt?.toISOString() },
  });
}

/** Ends an order that was never confirmed, and the buyer's task with `error`. */
export async function refuseOrder(ctx: Ctx, { mediaBuyId, taskId }: { mediaBuyId: string; taskId: string | null }, said: { error: TaskError; message: string; action: string; summary: string }): Promise<void> {
  const reason = said.error.message;
  const rejected = await transitionMediaBuy(ctx, { mediaBuyId, from: ["pending_approval"], to: "rejected", set: { rejectionReason: reason } });
  await endUnsent(ctx, mediaBuyId);
  if (taskId) await endTask(ctx, taskId, { status: "rejected", message: said.message, error: said.error });
  await recordAudit(ctx, {
    action: said.action, objectKind: "media_buy", objectId: mediaBuyId, mediaBuyId, summary: `${said.summary}: ${reason}`,
    before: { status: "pending_approval" }, after: { status: rejected.status, reason },
  });
}

/** Nothing was ever sent, so there is nothing to read back. */
export async function endUnsent(ctx: Ctx, mediaBuyId: string): Promise<void> {
  await ctx.db.update(fulfilments).set({ state: "ended", updatedAt: ctx.now }).where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.mediaBuyId, mediaBuyId)));
}
