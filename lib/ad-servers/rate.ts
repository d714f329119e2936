import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { withTenant } from "../db/client";
import { adapterRates } from "./schema";

/**
 * A connection's requests per second, shared by all processes. Each process books blocks of a quarter second ahead in the
 * database, and spaces its own requests within them: most requests cost no query.
 */
export type Rate = { tenantId: string; adapterConfigId: string; ratePerSecond: number };

const BLOCK_SECONDS = 0.25;

type Block = { nextAtMs: number; left: number };
type Booking = { block: Block; queue: Promise<void> };

const bookings = new Map<string, Booking>();
const now = () => performance.now();

/** Resolves when the next request may go. Rejects when `signal` aborts the wait. */
export async function takeRate(rate: Rate, signal?: AbortSignal): Promise<void> {
  const key = `${rate.tenantId}:${rate.adapterConfigId}`;
  const booking = bookings.get(key) ?? { block: { nextAtMs: 0, left: 0 }, queue: Promise.resolve() };
  bookings.set(key, booking);
  // One caller at a time draws from the block; each then waits for its own slot.
  const slot = booking.queue.then(() => drawSlot(rate, booking));
  booking.queue = slot.then(() => undefined, () => undefined);
  await waitUntil(await slot, signal);
}

async function drawSlot(rate: Rate, booking: Booking): Promise<number> {
  const spacingMs = 1_000 / rate.ratePerSecond;
  // What was not used in its time is lost: kept, it would allow a burst.
  const isStale = booking.block.nextAtMs + booking.block.left * spacingMs < now();
  if (booking.block.left === 0 || isStale) booking.block = await bookBlock(rate);
  const at = booking.block.nextAtMs;
  booking.block = { nextAtMs: at + spacingMs, left: booking.block.left - 1 };
  return at;
}

const bookedSchema = z.object({ starts_in_ms: z.coerce.number() });

async function bookBlock({ tenantId, adapterConfigId, ratePerSecond }: Rate): Promise<Block> {
  const size = Math.max(1, Math.floor(ratePerSecond * BLOCK_SECONDS));
  const length = sql`${size / ratePerSecond} * interval '1 second'`;
  const [booked] = await withTenant(tenantId, (tx) => tx
    .insert(adapterRates)
    .values({ tenantId, adapterConfigId, bookedUntil: sql`clock_timestamp() + ${length}` })
    .onConflictDoUpdate({
      target: [adapterRates.tenantId, adapterRates.adapterConfigId],
      set: { bookedUntil: sql`greatest(${adapterRates.bookedUntil}, clock_timestamp()) + ${length}` },
      setWhere: and(eq(adapterRates.tenantId, tenantId), eq(adapterRates.adapterConfigId, adapterConfigId)),
    })
    .returning({ starts_in_ms: sql`extract(epoch from (${adapterRates.bookedUntil} - ${length} - clock_timestamp())) * 1000` }));
  return { nextAtMs: now() + Math.max(0, bookedSchema.parse(booked).starts_in_ms), left: size };
}

async function waitUntil(atMs: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const ms = atMs - now();
  if (ms <= 1) return;
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
