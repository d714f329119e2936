import { z } from "zod";
import { CHANNELS } from "./channels";
import { PRICING_MODELS } from "./schema";

const text = (longest: number, missing: string) => z.string().trim().min(1, missing).max(longest, `Use at most ${longest} characters.`);
const identifier = z.string().trim().max(64, "Use at most 64 characters.").regex(/^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/, "Use lower-case letters, digits, hyphens and underscores.");
/** Decimal text of an amount in the option's currency: "12.50". Parsed by parseMicros. */
const amount = z.string().trim().max(24);

export const pricingOptionInput = z.strictObject({
  /** Empty: a new option whose id is made from its model and currency. */
  pricingOptionId: z.union([z.literal(""), identifier]),
  pricingModel: z.enum(PRICING_MODELS),
  currency: z.string().trim().toUpperCase().regex(/^[A-Z]{3}$/, "Use a three-letter currency code, such as USD."),
  /** fixed: everyone pays `price`; auction: buyers bid at least `price`. */
  priceType: z.enum(["fixed", "auction"]),
  price: amount.min(1, "Enter a price."),
  /** Empty: no minimum. */
  minSpend: amount,
});
export type PricingOptionInput = z.infer<typeof pricingOptionInput>;

/** What the product editor sends. Without `id` a new product is made; with it, `version` is the one that was being edited. */
export const productInput = z.strictObject({
  id: z.uuid().optional(),
  version: z.number().int().min(1).optional(),
  productId: z.union([z.literal(""), identifier]),
  name: text(150, "Enter a name."),
  description: text(4_000, "Describe what a buyer gets: it is what buying agents read."),
  channels: z.array(z.enum(CHANNELS)).min(1, "Choose at least one channel."),
  formatIds: z.array(z.string()).min(1, "Choose at least one creative format."),
  deliveryType: z.enum(["guaranteed", "non_guaranteed"]),
  /** As lib/products/collections.ts reads it; empty: the product runs in no collection. */
  collections: z.string().max(30_000, "Use at most 30,000 characters."),
  /** inherit: as the publisher's setting says. */
  reviewRule: z.enum(["inherit", "always", "never"]),
  pricingOptions: z.array(pricingOptionInput).min(1, "Add at least one pricing option.").max(20),
  /** One per connection, in the form of that ad server's productTargetSchema. */
  targets: z.array(z.strictObject({ adapterConfigId: z.uuid(), config: z.record(z.string(), z.unknown()) })).max(10),
});
export type ProductInput = z.infer<typeof productInput>;

/** `isReviewRequired` of the table ↔ the rule that people choose. */
export const REVIEW_RULES = { inherit: null, always: true, never: false } as const satisfies Record<ProductInput["reviewRule"], boolean | null>;

export function reviewRule(isReviewRequired: boolean | null): ProductInput["reviewRule"] {
  if (isReviewRequired === null) return "inherit";
  return isReviewRequired ? "always" : "never";
}
