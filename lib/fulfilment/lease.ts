import { and, eq, exists, isNull, lt, or, sql, type SQL } from "drizzle-orm";
import { type Ctx } from "../context";
import { mediaBuys } from "../media-buys/schema";
import { LEASE_MS } from "./policy";
import { fulfilments } from "./schema";

/**
 * One writer per fulfilment. A step takes the lease under its run's id and gets a new epoch; every write that follows carries both
 * (`fence`), so that whoever was slower, or was thought dead, changes nothing. Leases are measured by the database's clock alone.
 */
export type Lease = { tenantId: string; fulfilmentId: string; owner: string; epoch: number };

const soon = sql`clock_timestamp() + ${LEASE_MS} * interval '1 millisecond'`;

/**
 * Locks are taken in one order everywhere, the media buy before its fulfilments: a buyer's change takes them in this order too, and
 * must never meet a step in a deadlock.
 */
export async function lockMediaBuyOf(ctx: Ctx, fulfilmentId: string): Promise<void> {
  const its = ctx.db.select({ one: sql`1` }).from(fulfilments)
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.id, fulfilmentId), eq(fulfilments.mediaBuyId, mediaBuys.id)));
  await ctx.db.select({ id: mediaBuys.id }).from(mediaBuys).where(and(eq(mediaBuys.tenantId, ctx.tenantId), exists(its))).for("update");
}

/** Takes the lease when it is free, has lapsed, or is this run's own. Undefined: somebody else holds it. */
export async function takeLease(ctx: Ctx, fulfilmentId: string, owner: string): Promise<Lease | undefined> {
  await lockMediaBuyOf(ctx, fulfilmentId);
  const [row] = await ctx.db.update(fulfilments)
    .set({ leaseOwner: owner, leaseUntil: soon, leaseEpoch: sql`${fulfilments.leaseEpoch} + 1`, updatedAt: ctx.now })
    .where(and(
      eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.id, fulfilmentId),
      or(isNull(fulfilments.leaseUntil), lt(fulfilments.leaseUntil, sql`clock_timestamp()`), eq(fulfilments.leaseOwner, owner)),
    ))
    .returning({ epoch: fulfilments.leaseEpoch });
  return row ? { tenantId: ctx.tenantId, fulfilmentId, owner, epoch: row.epoch } : undefined;
}

/** The condition of every write under a lease. */
export function fence(lease: Lease): SQL | undefined {
  return and(
    eq(fulfilments.tenantId, lease.tenantId), eq(fulfilments.id, lease.fulfilmentId),
    eq(fulfilments.leaseOwner, lease.owner), eq(fulfilments.leaseEpoch, lease.epoch),
  );
}

/** Locks the row if the lease still stands; false: it was lost, and nothing may be written. */
export async function renewLease(ctx: Ctx, lease: Lease): Promise<boolean> {
  await lockMediaBuyOf(ctx, lease.fulfilmentId);
  const rows = await ctx.db.update(fulfilments).set({ leaseUntil: soon, updatedAt: ctx.now }).where(fence(lease)).returning({ id: fulfilments.id });
  return rows.length === 1;
}

/** Set beside a last write, or alone: the next run need not wait. */
export const released = { leaseOwner: null, leaseUntil: null } as const;

export async function releaseLease(ctx: Ctx, lease: Lease): Promise<void> {
  await ctx.db.update(fulfilments).set(released).where(fence(lease));
}
