import { sql } from "drizzle-orm";
import { boolean, check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { adapterConfigs } from "../ad-servers/schema";
import { principals } from "../buyers/schema";
import { type ProductCollection } from "../inventory-lists/match";
import { createdAt, currency, id, instant, micros, tenantId, updatedAt } from "../db/columns";
import { tenants } from "../tenants/schema";

export type FormatId = { agent_url: string; id: string };

/** What a buyer may ask for in measurement_terms (core/measurement-terms.json). */
export type TermsPolicy = {
  /** Domains of vendors whose count may govern invoicing. */
  vendors: string[];
  windows: string[];
  /** Below this divergence nothing is resolved, whatever a buyer would like. */
  minVariancePercent: number;
  remedies: string[];
};

/** What a publisher sells. `product_id` is the buyer-facing id, the publisher's own wording. */
export const products = pgTable("products", {
  tenantId: tenantId().references(() => tenants.id),
  id: id(),
  productId: text("product_id").notNull(),
  name: text("name").notNull(),
  description: text("description").notNull(),
  channels: text("channels").array().notNull().default([]),
  /** Ids of formats of this publisher's own catalogue (lib/creatives/formats.ts). */
  formatIds: text("format_ids").array().notNull(),
  deliveryType: text("delivery_type", { enum: ["guaranteed", "non_guaranteed"] }).notNull(),
  /** null: as the publisher's own setting says. */
  isReviewRequired: boolean("is_review_required"),
  /** selected: for the buyers in product_buyers alone; to all others the product does not exist. */
  visibility: text("visibility", { enum: ["all", "selected"] }).notNull().default("all"),
  /** The sandbox buyer whose test controller made it: not the publisher's own, and on no screen of staff's. */
  seededFor: uuid("seeded_for"),
  /** Which measurement terms of a buyer's own are accepted; null: none but the publisher's. */
  termsPolicy: jsonb("terms_policy").$type<TermsPolicy>(),
  /** Protocol fields that are shown as they are: publisher_properties, delivery_measurement, reporting_capabilities, creative_policy, countries … */
  details: jsonb("details").$type<Record<string, unknown>>().notNull().default({}),
  /** Programs, shows and publications that it runs in: the protocol's `collections`, with the ids that lists of other agents name them by. */
  collections: jsonb("collections").$type<ProductCollection[]>().notNull().default([]),
  position: integer("position").notNull().default(0),
  version: integer("version").notNull().default(1),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
  archivedAt: instant("archived_at"),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  uniqueIndex("products_product_id_key").on(t.tenantId, t.productId).where(sql`${t.seededFor} is null`),
  // A sandbox buyer's test products have ids of their own: that one is taken would tell of others.
  uniqueIndex("products_seeded_key").on(t.tenantId, t.seededFor, t.productId).where(sql`${t.seededFor} is not null`),
  foreignKey({ columns: [t.tenantId, t.seededFor], foreignColumns: [principals.tenantId, principals.id] }),
  index("products_list").on(t.tenantId, t.position, t.id),
  check("products_visibility", sql`${t.visibility} in ('all','selected')`),
  check("products_delivery_type", sql`${t.deliveryType} in ('guaranteed','non_guaranteed')`),
]);

/** Per thousand impressions, per click, per day (`time`), or one price for the whole flight (`flat_rate`). */
export const PRICING_MODELS = ["cpm", "cpc", "time", "flat_rate"] as const;

export const pricingOptions = pgTable("pricing_options", {
  tenantId: tenantId(),
  id: id(),
  productId: uuid("product_id").notNull(),
  pricingOptionId: text("pricing_option_id").notNull(),
  pricingModel: text("pricing_model", { enum: PRICING_MODELS }).notNull(),
  currency: currency().notNull(),
  /** Fixed price; null when the option is sold by auction above `floor_micros`. Per thousand for cpm. */
  rateMicros: micros("rate_micros"),
  floorMicros: micros("floor_micros"),
  priceGuidance: jsonb("price_guidance").$type<Record<string, number>>(),
  minSpendMicros: micros("min_spend_micros"),
  /** Negotiated: for the buyers in pricing_option_buyers alone; to all others it does not exist. */
  isReserved: boolean("is_reserved").notNull().default(false),
  createdAt: createdAt(),
  archivedAt: instant("archived_at"),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  unique("pricing_options_key").on(t.tenantId, t.productId, t.pricingOptionId),
  foreignKey({ columns: [t.tenantId, t.productId], foreignColumns: [products.tenantId, products.id] }),
  check("pricing_options_price", sql`(${t.rateMicros} is null) <> (${t.floorMicros} is null)`),
]);

/** Who sees a product whose visibility is `selected`. */
export const productBuyers = pgTable("product_buyers", {
  tenantId: tenantId(),
  productId: uuid("product_id").notNull(),
  principalId: uuid("principal_id").notNull(),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.productId, t.principalId] }),
  foreignKey({ columns: [t.tenantId, t.productId], foreignColumns: [products.tenantId, products.id] }),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
  index("product_buyers_by_principal").on(t.tenantId, t.principalId),
]);

/** Who may buy at a reserved price. */
export const pricingOptionBuyers = pgTable("pricing_option_buyers", {
  tenantId: tenantId(),
  /** pricing_options.id */
  pricingOptionId: uuid("pricing_option_id").notNull(),
  principalId: uuid("principal_id").notNull(),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.pricingOptionId, t.principalId] }),
  foreignKey({ columns: [t.tenantId, t.pricingOptionId], foreignColumns: [pricingOptions.tenantId, pricingOptions.id] }),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
  index("pricing_option_buyers_by_principal").on(t.tenantId, t.principalId),
]);

/** Product × connection, with that ad server's own typed config (its productTargetSchema). */
export const productTargets = pgTable("product_targets", {
  tenantId: tenantId(),
  productId: uuid("product_id").notNull(),
  adapterConfigId: uuid("adapter_config_id").notNull(),
  config: jsonb("config").$type<Record<string, unknown>>().notNull(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.productId, t.adapterConfigId] }),
  foreignKey({ columns: [t.tenantId, t.productId], foreignColumns: [products.tenantId, products.id] }),
  foreignKey({ columns: [t.tenantId, t.adapterConfigId], foreignColumns: [adapterConfigs.tenantId, adapterConfigs.id] }),
]);

export const currencyLimits = pgTable("currency_limits", {
  tenantId: tenantId().references(() => tenants.id),
  currency: currency().notNull(),
  minPackageMicros: micros("min_package_micros").notNull(),
  maxDailyPackageMicros: micros("max_daily_package_micros"),
}, (t) => [primaryKey({ columns: [t.tenantId, t.currency] })]);
