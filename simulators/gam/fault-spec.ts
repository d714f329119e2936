import { z } from "zod";

const regexSchema = z.string().refine((text) => {
  try {
    RegExp(text);
    return true;
  } catch {
    return false;
  }
}, "not a regular expression");

const common = {
  /** Which requests it may hit; without it, all. `path` is a regular expression over the URL's path. */
  match: z.strictObject({ method: z.string().toUpperCase().optional(), path: regexSchema.optional(), network: z.string().optional() }).default({}),
  /** Hits after which it is spent; without it, it stays until cleared. */
  count: z.int().positive().optional(),
  probability: z.number().min(0).max(1).default(1),
  /** Life in milliseconds from the moment it is added. */
  forMs: z.number().positive().optional(),
  seed: z.int().default(1),
};

export const faultSpecSchema = z.discriminatedUnion("kind", [
  z.strictObject({ ...common, kind: z.literal("latency"), ms: z.number().min(0).optional(), minMs: z.number().min(0).optional(), maxMs: z.number().min(0).optional() })
    .refine((spec) => spec.ms !== undefined || (spec.minMs !== undefined && spec.maxMs !== undefined), "give ms, or minMs and maxMs"),
  z.strictObject({ ...common, kind: z.literal("rateLimit"), perSecond: z.number().positive(), burst: z.int().positive().optional() }),
  z.strictObject({ ...common, kind: z.literal("unavailable") }),
  z.strictObject({ ...common, kind: z.literal("internal") }),
  z.strictObject({ ...common, kind: z.literal("unauthorized") }),
  z.strictObject({ ...common, kind: z.literal("garbage"), commit: z.boolean().default(false) }),
  z.strictObject({ ...common, kind: z.literal("noReply"), commit: z.boolean().default(false) }),
  z.strictObject({ ...common, kind: z.literal("dropBeforeCommit") }),
  z.strictObject({ ...common, kind: z.literal("dropAfterCommit") }),
  z.strictObject({ ...common, kind: z.literal("delayedVisibility"), ms: z.number().positive() }),
  z.strictObject({ ...common, kind: z.literal("batchFailAt"), index: z.int().min(0), atomic: z.boolean().default(true) }),
  z.strictObject({ ...common, kind: z.literal("noForecastYet") }),
  z.strictObject({ ...common, kind: z.literal("notEnoughInventory") }),
  z.strictObject({ ...common, kind: z.literal("concurrentModification") }),
  z.strictObject({ ...common, kind: z.literal("reportStuck") }),
  z.strictObject({ ...common, kind: z.literal("reportFails") }),
]);
export type FaultSpec = z.infer<typeof faultSpecSchema>;
export type FaultKind = FaultSpec["kind"];
export type FaultOf<K extends FaultKind> = Extract<FaultSpec, { kind: K }>;
