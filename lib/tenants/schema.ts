import { sql } from "drizzle-orm";
import { bigint, boolean, check, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { createdAt, currency, id, instant } from "../db/columns";

/** Which creatives a person looks at before they run: none, those that bring code of their own, or all. */
export const CREATIVE_REVIEW_POLICIES = ["none", "third_party", "all"] as const;
export type CreativeReviewPolicy = (typeof CREATIVE_REVIEW_POLICIES)[number];

/** A publisher. `catalog_version` moves by trigger with everything that get_products shows. */
export const tenants = pgTable("tenants", {
  id: id().primaryKey(),
  slug: text("slug").notNull().unique(),
  name: text("name").notNull(),
  isDemo: boolean("is_demo").notNull().default(false),
  timeZone: text("time_zone").notNull(),
  defaultCurrency: currency("default_currency").notNull(),
  isReviewRequired: boolean("is_review_required").notNull().default(false),
  creativeReview: text("creative_review", { enum: CREATIVE_REVIEW_POLICIES }).notNull().default("none"),
  isAdvertiserCreationAllowed: boolean("is_advertiser_creation_allowed").notNull().default(false),
  isOverbookingAllowed: boolean("is_overbooking_allowed").notNull().default(false),
  decisionTimeMinutes: bigint("decision_time_minutes", { mode: "number" }).notNull().default(2_880),
  staffWebhookEncrypted: text("staff_webhook_encrypted"),
  staffWebhookHint: text("staff_webhook_hint"),
  catalogVersion: bigint("catalog_version", { mode: "number" }).notNull().default(1),
  createdAt: createdAt(),
  archivedAt: instant("archived_at"),
}, (t) => [check("tenants_creative_review", sql`${t.creativeReview} in ('none','third_party','all')`)]);

/** Host names that belong to one publisher. A mapped host decides the tenant before any token does. */
export const tenantHosts = pgTable("tenant_hosts", {
  host: text("host").primaryKey(),
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id),
});
