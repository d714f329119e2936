import { and, asc, eq, inArray, isNotNull } from "drizzle-orm";
import { accounts } from "../accounts/schema";
import { ownAccounts } from "../accounts/service";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { simulateBudgetSpend, simulateDelivery } from "../delivery/sandbox";
import { fromWireId } from "../ids";
import { mediaBuys } from "../media-buys/schema";
import { type MediaBuyRow } from "../media-buys/transitions";
import { microsToNumber, parseMicros } from "../money";
import { lockSandboxBuy } from "./force";
import { ControllerProblem, notFound } from "./problem";

export type Simulated = { simulated: Record<string, unknown>; cumulative?: Record<string, unknown> };
export type DeliveryInput = { mediaBuyId: string; impressions?: number; clicks?: number; conversions?: number; spend?: { amount: number; currency: string } };

/** Adds made-up delivery to an order: every report shows it afterwards. */
export async function simulateOrderDelivery(ctx: Ctx, session: BuyerSession, { mediaBuyId, spend, ...counts }: DeliveryInput): Promise<Simulated> {
  const buy = await lockSandboxBuy(ctx, session, mediaBuyId);
  if (spend && spend.currency !== buy.currency) throw new ControllerProblem("INVALID_PARAMS", `This media buy is in ${buy.currency}.`);
  const totals = await simulateDelivery(ctx, buy.id, { ...counts, ...(spend ? { spendMicros: parseMicros(spend.amount, "params.reported_spend.amount") } : {}) });
  const { impressions, clicks, conversions, spendMicros } = totals;
  return {
    simulated: { ...counts, ...(spend ? { reported_spend: spend } : {}) },
    cumulative: {
      impressions, ...(clicks === null ? {} : { clicks }), ...(conversions === null ? {} : { conversions }),
      reported_spend: { amount: microsToNumber(spendMicros), currency: buy.currency },
    },
  };
}

/** Spends this part of an order's budget, or of every order of an account that still runs. */
export async function simulateSpend(ctx: Ctx, session: BuyerSession, input: { mediaBuyId?: string; accountId?: string; percentage: number }): Promise<Simulated> {
  const buys = input.mediaBuyId === undefined ? await loadAccountBuys(ctx, session, input.accountId ?? "") : [await lockSandboxBuy(ctx, session, input.mediaBuyId)];
  let [spent, budget] = [0n, 0n];
  for (const { id } of buys) {
    const { spentMicros, budgetMicros } = await simulateBudgetSpend(ctx, id, input.percentage);
    spent += spentMicros;
    budget += budgetMicros;
  }
  const [first] = buys;
  if (!first) return { simulated: { spend_percentage: input.percentage } };
  const money = (micros: bigint) => ({ amount: microsToNumber(micros), currency: first.currency });
  return { simulated: { spend_percentage: input.percentage, computed_spend: money(spent), budget: money(budget) } };
}

async function loadAccountBuys(ctx: Ctx, session: BuyerSession, wireId: string): Promise<MediaBuyRow[]> {
  const id = fromWireId("account", wireId);
  const [account] = id === undefined ? [] : await ctx.db.select({ id: accounts.id }).from(accounts).where(and(ownAccounts(ctx, session), eq(accounts.id, id), eq(accounts.isSandbox, true)));
  if (!account) throw notFound("account");
  return ctx.db.select().from(mediaBuys)
    .where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.accountId, account.id), isNotNull(mediaBuys.confirmedAt), inArray(mediaBuys.status, ["pending_creatives", "pending_start", "active", "paused"])))
    .orderBy(asc(mediaBuys.id)).for("update");
}
