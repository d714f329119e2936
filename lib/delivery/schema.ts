import { sql } from "drizzle-orm";
import { bigint, check, date, doublePrecision, foreignKey, index, pgTable, primaryKey, text, unique, uuid } from "drizzle-orm/pg-core";
import { adapterConfigs } from "../ad-servers/schema";
import { createdAt, currency, instant, micros, tenantId } from "../db/columns";
import { mediaBuys, mediaPackages } from "../media-buys/schema";

/** Where figures come from: what an ad server reported, or what a sandbox buyer's test made up. */
export const DELIVERY_SOURCES = ["ad_server", "sandbox"] as const;

const metrics = () => ({
  impressions: bigint("impressions", { mode: "number" }).notNull(),
  spendMicros: micros("spend_micros").notNull(),
  /** null: not measured, which is not zero. */
  clicks: bigint("clicks", { mode: "number" }),
  completedViews: bigint("completed_views", { mode: "number" }),
  conversions: bigint("conversions", { mode: "number" }),
});

/** What one connection delivered of one package on one day of its own zone. No row: nothing is known of that day. */
export const deliveryDaily = pgTable("delivery_daily", {
  tenantId: tenantId(),
  id: bigint("id", { mode: "number" }).notNull().generatedAlwaysAsIdentity(),
  mediaBuyId: uuid("media_buy_id").notNull(),
  packageId: uuid("package_id").notNull(),
  adapterConfigId: uuid("adapter_config_id").notNull(),
  day: date("day", { mode: "string" }).notNull(),
  /** The zone whose day it is: the connection's when it was recorded. */
  timeZone: text("time_zone").notNull(),
  currency: currency().notNull(),
  ...metrics(),
  source: text("source", { enum: DELIVERY_SOURCES }).notNull(),
  /** When the ad server last said so: the age of these figures. */
  syncedAt: instant("synced_at").notNull(),
  /** When they last differed from what was known: days reported before that were adjusted. */
  changedAt: instant("changed_at").notNull(),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  unique("delivery_daily_key").on(t.tenantId, t.packageId, t.adapterConfigId, t.day),
  foreignKey({ columns: [t.tenantId, t.mediaBuyId], foreignColumns: [mediaBuys.tenantId, mediaBuys.id] }),
  foreignKey({ columns: [t.tenantId, t.packageId], foreignColumns: [mediaPackages.tenantId, mediaPackages.id] }),
  foreignKey({ columns: [t.tenantId, t.adapterConfigId], foreignColumns: [adapterConfigs.tenantId, adapterConfigs.id] }),
  index("delivery_daily_by_media_buy").on(t.tenantId, t.mediaBuyId, t.day),
  index("delivery_daily_changes").on(t.tenantId, t.changedAt),
  check("delivery_daily_metrics", sql`${t.impressions} >= 0 and ${t.spendMicros} >= 0 and ${t.clicks} >= 0 and ${t.completedViews} >= 0 and ${t.conversions} >= 0`),
]);

/** `creative`'s keys are our uuids; the others' are the protocol's values or the ad server's ids. */
export const DELIVERY_DIMENSIONS = ["creative", "country", "region", "device_type", "device_platform", "placement", "ad_unit"] as const;
export type DeliveryDimension = (typeof DELIVERY_DIMENSIONS)[number];

/** A day's figures cut along one dimension. The slices of one dimension need not add up to the day: ad servers leave small ones out. */
export const deliverySlices = pgTable("delivery_slices", {
  tenantId: tenantId(),
  id: bigint("id", { mode: "number" }).notNull().generatedAlwaysAsIdentity(),
  mediaBuyId: uuid("media_buy_id").notNull(),
  packageId: uuid("package_id").notNull(),
  adapterConfigId: uuid("adapter_config_id").notNull(),
  day: date("day", { mode: "string" }).notNull(),
  dimension: text("dimension", { enum: DELIVERY_DIMENSIONS }).notNull(),
  key: text("key").notNull(),
  /** For people, such as the ad unit's name. */
  label: text("label"),
  ...metrics(),
  syncedAt: instant("synced_at").notNull(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  unique("delivery_slices_key").on(t.tenantId, t.packageId, t.dimension, t.day, t.adapterConfigId, t.key),
  foreignKey({ columns: [t.tenantId, t.packageId], foreignColumns: [mediaPackages.tenantId, mediaPackages.id] }),
  index("delivery_slices_by_media_buy").on(t.tenantId, t.mediaBuyId, t.dimension, t.day),
  index("delivery_slices_by_creative").on(t.tenantId, t.key, t.packageId).where(sql`${t.dimension} = 'creative'`),
  check("delivery_slices_dimension", sql`${t.dimension} in ('creative','country','region','device_type','device_platform','placement','ad_unit')`),
]);

/** What a buyer told us about how an order performs for them, by their own measurement. Never overwritten. */
export const performanceFeedback = pgTable("performance_feedback", {
  tenantId: tenantId(),
  id: bigint("id", { mode: "number" }).notNull().generatedAlwaysAsIdentity(),
  principalId: uuid("principal_id").notNull(),
  mediaBuyId: uuid("media_buy_id").notNull(),
  packageId: uuid("package_id"),
  creativeId: uuid("creative_id"),
  periodStart: instant("period_start").notNull(),
  periodEnd: instant("period_end").notNull(),
  /** 0 = no value, 1 = as expected, above 1 = better, on the buyer's own scale. */
  performanceIndex: doublePrecision("performance_index").notNull(),
  metricType: text("metric_type").notNull(),
  feedbackSource: text("feedback_source").notNull(),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.mediaBuyId], foreignColumns: [mediaBuys.tenantId, mediaBuys.id] }),
  index("performance_feedback_by_media_buy").on(t.tenantId, t.mediaBuyId, t.id),
]);
