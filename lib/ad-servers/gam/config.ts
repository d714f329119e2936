import { z } from "zod";

/** Forms of what staff configure for Google Ad Manager. Their messages are shown beside the fields. */

const id = (what: string) => z.string().trim().regex(/^\d{1,19}$/, `${what} is a number, such as 21700000001.`);

export const gamConnectionSchema = z.strictObject({
  networkCode: id("The network code"),
  /** User that new orders name as their trafficker. Absent: the user of the service account itself. */
  traffickerId: id("The trafficker's id").optional(),
  /** Shortens the deadline of each request. */
  callDeadlineMs: z.number().int().min(500).max(120_000).optional(),
  /** Pause between the two look-ups that follow a create without an answer (1.5 s): what was created may not be listed at once. */
  lookUpPauseMs: z.number().int().min(0).max(30_000).optional(),
});
export type GamConnection = z.infer<typeof gamConnectionSchema>;

/**
 * What each type of line item means, from Ad Manager's reference: usual priority and range, and whether its goal is an amount over
 * its lifetime or a share of each day's impressions in percent.
 */
export const LINE_ITEM_TYPES = {
  SPONSORSHIP: { label: "Sponsorship", priority: { usual: 4, min: 2, max: 5 }, goal: "share", reservesInventory: true },
  STANDARD: { label: "Standard", priority: { usual: 8, min: 6, max: 10 }, goal: "amount", reservesInventory: true },
  NETWORK: { label: "Network", priority: { usual: 12, min: 11, max: 14 }, goal: "share", reservesInventory: false },
  BULK: { label: "Bulk", priority: { usual: 12, min: 11, max: 14 }, goal: "amount", reservesInventory: false },
  PRICE_PRIORITY: { label: "Price priority", priority: { usual: 12, min: 11, max: 14 }, goal: "amount", reservesInventory: false },
  HOUSE: { label: "House", priority: { usual: 16, min: 15, max: 16 }, goal: "share", reservesInventory: false },
} as const satisfies Record<string, { label: string; priority: { usual: number; min: number; max: number }; goal: "amount" | "share"; reservesInventory: boolean }>;
export type LineItemType = keyof typeof LINE_ITEM_TYPES;

const TYPES = ["STANDARD", "SPONSORSHIP", "PRICE_PRIORITY", "NETWORK", "BULK", "HOUSE"] as const satisfies readonly LineItemType[];

export const gamTargetSchema = z.strictObject({
  adUnitIds: z.array(id("An ad unit's id")).max(700).default([]),
  placementIds: z.array(id("A placement's id")).max(700).default([]),
  /** Whether ad units count with everything below them. Absent: they do. */
  includeDescendants: z.boolean().optional(),
  lineItemType: z.enum(TYPES, "Choose a type of line item."),
  priority: z.number("Enter a whole number.").int("Enter a whole number.").optional(),
  /** Share of each day's impressions in percent, for sponsorship and network. */
  sharePercent: z.number().int("Enter a whole number.").min(1, "At least 1 percent.").max(100, "At most 100 percent.").optional(),
  /** All of them must hold. */
  customTargeting: z.array(z.strictObject({
    keyId: id("A key's id"),
    valueIds: z.array(id("A value's id")).min(1, "Choose at least one value."),
    operator: z.enum(["IS", "IS_NOT"]).optional(),
  })).max(100).optional(),
  /** Longest video or audio that may serve. */
  maxVideoSeconds: z.number().int().min(1).max(3_600).optional(),
  /** Names of the ids above, for people. */
  names: z.record(z.string(), z.string().max(500)).optional(),
}).superRefine((target, context) => {
  if (target.adUnitIds.length + target.placementIds.length === 0) {
    context.addIssue({ code: "custom", path: ["adUnitIds"], message: "Choose at least one ad unit or placement." });
  }
  const { label, priority: range, goal } = LINE_ITEM_TYPES[target.lineItemType];
  if (target.priority !== undefined && (target.priority < range.min || target.priority > range.max)) {
    context.addIssue({ code: "custom", path: ["priority"], message: `${label} line items have a priority from ${range.min} to ${range.max}.` });
  }
  if (target.sharePercent !== undefined && goal !== "share") {
    context.addIssue({ code: "custom", path: ["sharePercent"], message: `${label} line items have no share: their goal is what the package bought.` });
  }
});
export type GamTarget = z.infer<typeof gamTargetSchema>;
