import { and, eq, inArray, sql } from "drizzle-orm";
import { type Ctx } from "../context";
import { compiledByShape } from "../db/client";
import { AppError, invariant } from "../errors";
import { mediaBuys, type MediaBuyStatus } from "./schema";

export type MediaBuyRow = typeof mediaBuys.$inferSelect;

/** The protocol's table, plus `pending_approval`, which no buyer sees. */
export const TRANSITIONS: Record<MediaBuyStatus, readonly MediaBuyStatus[]> = {
  pending_approval: ["pending_creatives", "pending_start", "rejected", "canceled"],
  pending_creatives: ["pending_start", "active", "paused", "canceled", "rejected"],
  pending_start: ["active", "paused", "canceled", "rejected"],
  active: ["paused", "completed", "canceled"],
  paused: ["active", "completed", "canceled"],
  completed: [],
  rejected: [],
  canceled: [],
};

export type BuyerAction = "pause" | "resume" | "cancel" | "update_budget" | "update_dates" | "update_packages" | "add_packages" | "sync_creatives";

const CHANGES = ["cancel", "update_budget", "update_dates", "update_packages", "add_packages", "sync_creatives"] as const satisfies BuyerAction[];

const VALID_ACTIONS: Record<MediaBuyStatus, readonly BuyerAction[]> = {
  pending_approval: [],
  pending_creatives: ["pause", ...CHANGES],
  pending_start: ["pause", ...CHANGES],
  active: ["pause", ...CHANGES],
  paused: ["resume", ...CHANGES],
  completed: [],
  rejected: [],
  canceled: [],
};

/** What the buyer may do now. */
export function validActions(status: MediaBuyStatus): BuyerAction[] {
  return [...VALID_ACTIONS[status]];
}

export function isTerminal(status: MediaBuyStatus): boolean {
  return TRANSITIONS[status].length === 0;
}

export function canMove(from: MediaBuyStatus, to: MediaBuyStatus): boolean {
  return TRANSITIONS[from].includes(to);
}

/** Where a confirmed order begins. */
export function nextStatusAfterConfirmation(packages: { hasCreatives: boolean }[]): "pending_creatives" | "pending_start" {
  return packages.every((item) => item.hasCreatives) ? "pending_start" : "pending_creatives";
}

export type StatusFacts = {
  now: Date;
  startsAt: Date;
  endsAt: Date;
  /** Every package that is not canceled has an approved creative. */
  isCreativeComplete: boolean;
  /** At least one connection holds what was sold, as read back. */
  isInSync: boolean;
};

/**
 * Where time, creatives and ad servers have brought an order, or null when it stays. Drift and disagreement between connections never
 * move it, and nothing moves it backwards. What could not begin before its end is canceled by the seller: the protocol completes only what ran.
 */
export function settledStatus(status: MediaBuyStatus, facts: StatusFacts): "pending_start" | "active" | "completed" | "canceled" | null {
  const hasEnded = facts.now >= facts.endsAt;
  if (status === "active" || status === "paused") return hasEnded ? "completed" : null;
  if (status !== "pending_creatives" && status !== "pending_start") return null;
  const hasBegun = facts.now >= facts.startsAt;
  const isReady = status === "pending_start" || facts.isCreativeComplete;
  if (isReady && hasBegun && facts.isInSync) return "active";
  if (hasEnded) return "canceled";
  return isReady && status === "pending_creatives" ? "pending_start" : null;
}

type MediaBuyChange = Partial<Omit<MediaBuyRow, "status" | "revision" | "tenantId" | "id" | "desiredVersion">>;

const at = sql.placeholder;
const one = and(eq(mediaBuys.tenantId, at("tenantId")), eq(mediaBuys.id, at("mediaBuyId")));
const named = (fields: string[]) => Object.fromEntries(fields.map((field) => [field, at(field)]));

const transition = compiledByShape((db, { fields, from }: { fields: string[]; from: number }) => db.update(mediaBuys)
  .set({ ...named(fields), revision: sql`case when ${mediaBuys.status} = 'pending_approval' then ${mediaBuys.revision} else ${mediaBuys.revision} + 1 end` })
  .where(and(one, inArray(mediaBuys.status, Array.from({ length: from }, (_, index) => at(`from${index}`)))))
  .returning());
const revise = compiledByShape((db, fields: string[]) => db.update(mediaBuys).set({ ...named(fields), revision: sql`${mediaBuys.revision} + 1` }).where(one).returning());

function definedOf(set: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined));
}

/**
 * The only writer of `media_buys.status`. Moves the revision too, unless the order was not yet the buyer's to see.
 * Throws CONFLICT when the order is not in one of `from` (any more).
 */
export async function transitionMediaBuy(ctx: Ctx, input: { mediaBuyId: string; from: readonly MediaBuyStatus[]; to: MediaBuyStatus; set?: MediaBuyChange }): Promise<MediaBuyRow> {
  for (const from of input.from) invariant(canMove(from, input.to), `no transition ${from} → ${input.to}`);
  const set = definedOf({ ...input.set, status: input.to, updatedAt: ctx.now });
  const from = Object.fromEntries(input.from.map((status, index) => [`from${index}`, status]));
  const [row] = await transition(ctx.db, { fields: Object.keys(set), from: input.from.length }, { ...set, ...from, tenantId: ctx.tenantId, mediaBuyId: input.mediaBuyId });
  if (!row) throw new AppError("CONFLICT", "The media buy's status changed meanwhile.", { suggestion: "Read it again and retry with its current state." });
  return row;
}

/** A change that leaves the status as it is: the revision moves by one. */
export async function reviseMediaBuy(ctx: Ctx, mediaBuyId: string, set: MediaBuyChange): Promise<MediaBuyRow> {
  const defined = definedOf({ ...set, updatedAt: ctx.now });
  const [row] = await revise(ctx.db, Object.keys(defined), { ...defined, tenantId: ctx.tenantId, mediaBuyId });
  invariant(row, `no media buy ${mediaBuyId}`);
  return row;
}
