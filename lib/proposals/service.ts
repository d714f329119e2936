import { and, eq, gt, inArray } from "drizzle-orm";
import { type BuyerSession } from "../adcp/tool";
import { canonicalHash } from "../adcp/canonical-json";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { type CatalogItem } from "../products/catalog";
import { addMs, DAY_MS } from "../time";
import { type Allocation, proposals } from "./schema";

export type Proposal = typeof proposals.$inferSelect;

const PARTS_MAX = 4;
const DRAFT_DAYS = 7;
const COMMITTED_DAYS = 2;

export type Match = { item: CatalogItem; score: number };

/**
 * A plan for a brief: its best matches that are sold at a fixed price in one currency, each by its share of the match. The same brief of the same
 * buyer on the same day and catalogue is the same proposal. null when nothing matches.
 */
export async function proposeFor(ctx: Ctx, { session, catalogVersion, brief, matches }: { session: BuyerSession; catalogVersion: number; brief: string; matches: readonly Match[] }): Promise<Proposal | null> {
  const [first] = matches.flatMap(({ item, score }) => (score > 0 ? (fixedPrice(item) ?? []) : []));
  if (!first) return null;
  const parts = matches.flatMap(({ item, score }) => {
    const price = score > 0 ? fixedPrice(item, first.currency) : undefined;
    return price ? [{ item, score, price }] : [];
  }).slice(0, PARTS_MAX);
  const shares = shareOut(parts.map(({ score }) => score));
  const allocations = parts.map(({ item, price }, index): Allocation => ({
    productId: item.productId, pricingOptionId: price.id, percentage: shares[index] ?? 0, rationale: `${item.name} matches the brief${item.deliveryType === "guaranteed" ? " and is guaranteed" : ""}.`,
  }));
  const day = ctx.now.toISOString().slice(0, 10);
  const id = `prop_${canonicalHash({ tenant: ctx.tenantId, principal: session.principalId, catalogVersion, brief, day }).slice(0, 32)}`;
  const name = parts.map(({ item }) => item.name).join(" + ").slice(0, 200);
  const made = { tenantId: ctx.tenantId, id, principalId: session.principalId, brief, name, currency: first.currency, allocations, status: "draft" as const, expiresAt: addMs(ctx.now, DRAFT_DAYS * DAY_MS), createdAt: ctx.now };
  const [row] = await ctx.db.insert(proposals).values(made).onConflictDoNothing().returning();
  return row ?? (await findOwn(ctx, session, [id])).get(id) ?? null;
}

function fixedPrice(item: CatalogItem, currency?: string): { id: string; currency: string } | undefined {
  const options = Array.isArray(item.wire.pricing_options) ? (item.wire.pricing_options as { pricing_option_id: string; pricing_model: string }[]) : [];
  // A share of a budget buys any number of impressions or clicks, but not a part of a flight.
  const index = item.prices.findIndex((price, at) => price.isFixed && ["cpm", "cpc"].includes(options[at]?.pricing_model ?? "") && (currency === undefined || price.currency === currency));
  const [price, option] = [item.prices[index], options[index]];
  return price && option ? { id: option.pricing_option_id, currency: price.currency } : undefined;
}

/** Whole percentages that sum to 100, by weight; every part gets at least one. */
export function shareOut(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => Math.max(1, Math.floor((weight / total) * 100)));
  const rest = 100 - shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share, index) => (index === 0 ? share + rest : share));
}

async function findOwn(ctx: Ctx, session: BuyerSession, ids: readonly string[]): Promise<Map<string, Proposal>> {
  const rows = ids.length === 0 ? [] : await ctx.db.select().from(proposals).where(and(eq(proposals.tenantId, ctx.tenantId), eq(proposals.principalId, session.principalId), inArray(proposals.id, [...ids])));
  return new Map(rows.map((row) => [row.id, row]));
}

export type ProposalRefinement = { proposal_id: string; action?: string; ask?: string };
export type RefinedProposals = { shown: Proposal[]; applied: Map<string, { status: "applied" | "partial" | "unable"; notes?: string }> };

/** What a buyer asks of proposals: to show them, leave them out, or make them firm. Allocations are the publisher's: asks to shift them are answered, not followed. */
export async function refineProposals(ctx: Ctx, session: BuyerSession, entries: readonly ProposalRefinement[]): Promise<RefinedProposals> {
  const known = await findOwn(ctx, session, entries.map((entry) => entry.proposal_id));
  const result: RefinedProposals = { shown: [], applied: new Map() };
  for (const { proposal_id: id, action = "include", ask } of entries) {
    const proposal = known.get(id);
    if (!proposal) result.applied.set(id, { status: "unable", notes: "There is no such proposal." });
    else if (action === "omit") result.applied.set(id, { status: "applied" });
    else if (action === "finalize") await finalize(ctx, proposal, result);
    else {
      result.shown.push(proposal);
      result.applied.set(id, ask === undefined ? { status: "applied" } : { status: "unable", notes: "The allocation stays as it is: send another brief, or order packages of your own." });
    }
  }
  return result;
}

/** Prices are firm from here on; inventory is checked when the order is placed. A second time it stays as it was. */
async function finalize(ctx: Ctx, proposal: Proposal, result: RefinedProposals): Promise<void> {
  const [committed] = proposal.status === "committed" ? [proposal] : await ctx.db.update(proposals).set({ status: "committed", expiresAt: addMs(ctx.now, COMMITTED_DAYS * DAY_MS) })
    .where(and(eq(proposals.tenantId, ctx.tenantId), eq(proposals.id, proposal.id), eq(proposals.status, "draft"), gt(proposals.expiresAt, ctx.now))).returning();
  if (!committed || committed.expiresAt <= ctx.now) {
    result.applied.set(proposal.id, { status: "unable", notes: "The proposal has expired: ask again with a brief." });
    return;
  }
  result.shown.push(committed);
  result.applied.set(proposal.id, { status: "applied" });
}

/** core/proposal.json */
export function presentProposal(proposal: Proposal): Record<string, unknown> {
  return {
    proposal_id: proposal.id,
    name: proposal.name,
    description: proposal.status === "committed" ? "Prices are firm until it expires; inventory is checked when you order." : "Finalize it to order it: prices are then firm.",
    proposal_status: proposal.status,
    expires_at: proposal.expiresAt.toISOString(),
    allocations: proposal.allocations.map(({ productId, pricingOptionId, percentage, rationale }, index) => ({ product_id: productId, pricing_option_id: pricingOptionId, allocation_percentage: percentage, rationale, sequence: index + 1 })),
    brief_alignment: "The products that match your brief best, each by its share of the match.",
  };
}

/** A proposal that may be ordered now. Throws REFERENCE_NOT_FOUND, PROPOSAL_NOT_COMMITTED, PROPOSAL_EXPIRED. */
export async function loadCommitted(ctx: Ctx, session: BuyerSession, id: string): Promise<Proposal> {
  const proposal = (await findOwn(ctx, session, [id])).get(id);
  if (!proposal) throw new AppError("REFERENCE_NOT_FOUND", "You have no such proposal here.", { field: "proposal_id", suggestion: "Get one from get_products with a brief." });
  if (proposal.expiresAt <= ctx.now) throw expired();
  if (proposal.status === "draft") throw new AppError("PROPOSAL_NOT_COMMITTED", "This proposal is a draft.", { field: "proposal_id", suggestion: "Finalize it first: get_products with buying_mode refine and action finalize." });
  return proposal;
}

export function expired(): AppError {
  return new AppError("PROPOSAL_EXPIRED", "This proposal has expired, or its prices are no longer offered.", { field: "proposal_id", suggestion: "Ask get_products for a new one." });
}

/** The total by share, to the last micro: what does not divide goes to the first. */
export function divideBudget(totalMicros: bigint, allocations: readonly Allocation[]): bigint[] {
  const parts = allocations.map(({ percentage }) => (totalMicros * BigInt(Math.round(percentage * 100))) / 10_000n);
  const rest = totalMicros - parts.reduce((sum, part) => sum + part, 0n);
  return parts.map((part, index) => (index === 0 ? part + rest : part));
}
