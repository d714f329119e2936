import { sql } from "drizzle-orm";
import { boolean, check, foreignKey, jsonb, pgTable, primaryKey, text, unique, uuid } from "drizzle-orm/pg-core";
import { adapterConfigs } from "../ad-servers/schema";
import { principals } from "../buyers/schema";
import { createdAt, id, instant, tenantId, updatedAt } from "../db/columns";

export const ACCOUNT_STATUSES = ["active", "pending_approval", "rejected", "payment_required", "suspended", "closed"] as const;

/** Whom we bill. Natural key: brand + operator + sandbox, within one principal. */
export const accounts = pgTable("accounts", {
  tenantId: tenantId(),
  id: id(),
  principalId: uuid("principal_id").notNull(),
  brandDomain: text("brand_domain").notNull(),
  brandId: text("brand_id"),
  operator: text("operator").notNull(),
  name: text("name").notNull(),
  isSandbox: boolean("is_sandbox").notNull(),
  status: text("status", { enum: ACCOUNT_STATUSES }).notNull().default("active"),
  /** The publisher's words on why it is so, which the buyer reads. null: it opened so, or the buyer itself changed it. */
  statusReason: text("status_reason"),
  billing: text("billing"),
  paymentTerms: text("payment_terms"),
  details: jsonb("details").$type<Record<string, unknown>>().notNull().default({}),
  /** Whether governance agents must agree to its orders. */
  isGoverned: boolean("is_governed").notNull().default(false),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
  archivedAt: instant("archived_at"),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  unique("accounts_natural_key").on(t.tenantId, t.principalId, t.brandDomain, t.brandId, t.operator, t.isSandbox).nullsNotDistinct(),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
  check("accounts_status", sql`${t.status} in ('active','pending_approval','rejected','payment_required','suspended','closed')`),
]);

/** Which advertiser of an ad server stands for an account. */
export const accountAdvertisers = pgTable("account_advertisers", {
  tenantId: tenantId(),
  accountId: uuid("account_id").notNull(),
  adapterConfigId: uuid("adapter_config_id").notNull(),
  externalAdvertiserId: text("external_advertiser_id").notNull(),
  advertiserName: text("advertiser_name").notNull(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.accountId, t.adapterConfigId] }),
  foreignKey({ columns: [t.tenantId, t.accountId], foreignColumns: [accounts.tenantId, accounts.id] }),
  foreignKey({ columns: [t.tenantId, t.adapterConfigId], foreignColumns: [adapterConfigs.tenantId, adapterConfigs.id] }),
]);
