import { formatMoney } from "@/lib/money";

const UNITS = { cpm: "CPM", cpc: "per click", time: "per day", flat_rate: "for the whole flight" } as const;

/** A price in words: "$12.50 CPM", "from $2.00 CPM". */
export function priceText(price: { pricingModel: keyof typeof UNITS; priceType: "fixed" | "auction"; priceMicros: bigint; currency: string }): string {
  return `${price.priceType === "auction" ? "from " : ""}${formatMoney(price.priceMicros, price.currency)} ${UNITS[price.pricingModel]}`;
}

export const REVIEW_RULE_NAMES = { inherit: "As the publisher's setting", always: "Always", never: "Never" } as const;

export const DELIVERY_NAMES = { guaranteed: "Guaranteed", non_guaranteed: "Not guaranteed" } as const;
