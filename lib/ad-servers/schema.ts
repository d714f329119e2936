import { sql } from "drizzle-orm";
import { check, doublePrecision, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from "drizzle-orm/pg-core";
import { createdAt, currency, id, instant, tenantId, updatedAt } from "../db/columns";
import { tenants } from "../tenants/schema";

/** What the last test of a connection found. Shown to staff as it is. */
export type ConnectionTestResult = {
  checks: { name: string; outcome: "pass" | "warn" | "fail"; message: string }[];
  networkName?: string;
  currency?: string;
  timeZone?: string;
  testedAt: string;
};

/** A connection to an ad server. `mode` never changes: sandbox orders go to simulated connections only. */
export const adapterConfigs = pgTable("adapter_configs", {
  tenantId: tenantId().references(() => tenants.id),
  id: id(),
  kind: text("kind").notNull(),
  name: text("name").notNull(),
  mode: text("mode", { enum: ["live", "simulated"] }).notNull(),
  status: text("status", { enum: ["unverified", "verified", "failed"] }).notNull().default("unverified"),
  currency: currency().notNull(),
  timeZone: text("time_zone").notNull(),
  networkName: text("network_name"),
  /** The ad server's own settings, validated by its connectionSchema. Holds no secret. */
  config: jsonb("config").$type<Record<string, unknown>>().notNull(),
  credentialsEncrypted: text("credentials_encrypted"),
  /** What identifies the credentials to a person without revealing them, such as the service account's e-mail address. */
  credentialsHint: text("credentials_hint"),
  ratePerSecond: doublePrecision("rate_per_second").notNull(),
  externalIdBase: integer("external_id_base").notNull(),
  /** The next external order number is external_id_base + external_id_used + 1. */
  externalIdUsed: integer("external_id_used").notNull().default(0),
  lastTest: jsonb("last_test").$type<ConnectionTestResult>(),
  verifiedAt: instant("verified_at"),
  version: integer("version").notNull().default(1),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
  archivedAt: instant("archived_at"),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  check("adapter_configs_mode", sql`${t.mode} in ('live','simulated')`),
]);

/** A token bucket per connection that all processes share; taken in leased blocks. */
export const adapterRates = pgTable("adapter_rates", {
  tenantId: tenantId(),
  adapterConfigId: uuid("adapter_config_id").notNull(),
  /** The instant up to which capacity has been handed out. */
  bookedUntil: instant("booked_until").notNull(),
}, (t) => [primaryKey({ columns: [t.tenantId, t.adapterConfigId] })]);

/** Mirror of what can be targeted, filled only by the inventory sync. Retired rows stay. */
export const adServerInventory = pgTable("ad_server_inventory", {
  tenantId: tenantId(),
  adapterConfigId: uuid("adapter_config_id").notNull(),
  kind: text("kind", { enum: ["ad_unit", "placement", "targeting_key", "targeting_value", "advertiser"] }).notNull(),
  externalId: text("external_id").notNull(),
  parentExternalId: text("parent_external_id"),
  name: text("name").notNull(),
  /** Names from the root, for people: "Homepage > Top". */
  path: text("path"),
  status: text("status"),
  data: jsonb("data").$type<Record<string, unknown>>().notNull().default({}),
  syncedAt: instant("synced_at").notNull(),
  retiredAt: instant("retired_at"),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.adapterConfigId, t.kind, t.externalId] }),
  index("ad_server_inventory_name").on(t.tenantId, t.adapterConfigId, t.kind, t.name),
  index("ad_server_inventory_parent").on(t.tenantId, t.adapterConfigId, t.kind, t.parentExternalId),
]);

/** Our thing ↔ the ad server's thing. The only place where external ids live. */
export const externalObjects = pgTable("external_objects", {
  tenantId: tenantId(),
  adapterConfigId: uuid("adapter_config_id").notNull(),
  kind: text("kind", { enum: ["order", "line_item", "creative", "association"] }).notNull(),
  /** Stable key of ours: fulfilment id, package id, creative id, or `<package id>:<creative id>`. */
  ourKey: text("our_key").notNull(),
  fulfilmentId: uuid("fulfilment_id"),
  externalId: text("external_id").notNull(),
  /** What we last wrote successfully: the applied state that `plan` compares with. */
  applied: jsonb("applied").$type<Record<string, unknown>>().notNull().default({}),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.adapterConfigId, t.kind, t.ourKey] }),
  unique("external_objects_external_key").on(t.tenantId, t.adapterConfigId, t.kind, t.externalId),
  index("external_objects_fulfilment").on(t.tenantId, t.fulfilmentId),
]);
