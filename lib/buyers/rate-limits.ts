import { z } from "zod";
import { env } from "../env";

/** What calls are limited by. A burst is five seconds' worth. */
export const RATE_CLASSES = {
  read: "Reads, such as get_products and get_media_buys",
  write: "Changes, such as create_media_buy and sync_creatives",
} as const satisfies Record<string, string>;

export type RateClass = keyof typeof RATE_CLASSES;

export type RateLimit = { perSecond: number; burst: number };

/** Calls per second that staff set for one buyer in place of the default. */
export const rateOverrides = z.strictObject({ read: z.number().min(0.1).max(100_000).optional(), write: z.number().min(0.1).max(100_000).optional() });
export type RateOverrides = z.infer<typeof rateOverrides>;

const BURST_SECONDS = 5;
/** Reads are cheap: they are limited against runaway agents, no more. */
const READS_PER_SECOND = 500;

/** Per token and tool. Whoever raised the limit of changes beyond that of reads means both. */
export function defaultPerSecond(rateClass: RateClass): number {
  const writes = env().BUYER_WRITES_PER_SECOND;
  return rateClass === "write" ? writes : Math.max(READS_PER_SECOND, writes);
}

export function rateLimit(rateClass: RateClass, overrides: RateOverrides): RateLimit {
  const perSecond = overrides[rateClass] ?? defaultPerSecond(rateClass);
  return { perSecond, burst: Math.max(1, Math.ceil(perSecond * BURST_SECONDS)) };
}
