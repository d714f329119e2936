import { sql } from "drizzle-orm";
import { bigint, boolean, check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { accounts } from "../accounts/schema";
import { principals } from "../buyers/schema";
import { createdAt, currency, id, instant, micros, tenantId, updatedAt } from "../db/columns";
import { type PackageHold } from "../inventory-lists/fields";
import { type ProductCollection } from "../inventory-lists/match";
import { PRICING_MODELS, products } from "../products/schema";

/** `pending_approval` is ours alone: on the wire it is a submitted task, and the media buy is not listed. */
export const MEDIA_BUY_STATUSES = ["pending_approval", "pending_creatives", "pending_start", "active", "paused", "completed", "rejected", "canceled"] as const;
export type MediaBuyStatus = (typeof MEDIA_BUY_STATUSES)[number];

export const mediaBuys = pgTable("media_buys", {
  tenantId: tenantId(),
  id: id(),
  principalId: uuid("principal_id").notNull(),
  accountId: uuid("account_id").notNull(),
  status: text("status", { enum: MEDIA_BUY_STATUSES }).notNull(),
  /** Moves only with what the buyer can see: optimistic concurrency on the wire. */
  revision: integer("revision").notNull().default(1),
  /** Moves with everything that an ad server must reflect, and with Retry. */
  desiredVersion: integer("desired_version").notNull().default(1),
  name: text("name").notNull(),
  poNumber: text("po_number"),
  currency: currency().notNull(),
  budgetMicros: micros("budget_micros").notNull(),
  startsAt: instant("starts_at").notNull(),
  /** Frozen by the approval: max(requested start, then + 15 min). */
  effectiveStartsAt: instant("effective_starts_at"),
  endsAt: instant("ends_at").notNull(),
  isSandbox: boolean("is_sandbox").notNull(),
  confirmedAt: instant("confirmed_at"),
  canceledAt: instant("canceled_at"),
  canceledBy: text("canceled_by", { enum: ["buyer", "seller"] }),
  cancellationReason: text("cancellation_reason"),
  rejectionReason: text("rejection_reason"),
  /** The id to know it by, where the buyer's test controller seeded it; see media-buy-id.ts. */
  handle: text("handle"),
  /** Since the buyer's test controller set the status, the clock leaves it alone. */
  statusForcedAt: instant("status_forced_at"),
  /** The buyer's request without credentials. */
  rawRequest: jsonb("raw_request").$type<Record<string, unknown>>().notNull(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
  foreignKey({ columns: [t.tenantId, t.accountId], foreignColumns: [accounts.tenantId, accounts.id] }),
  index("media_buys_by_status").on(t.tenantId, t.status, t.createdAt, t.id),
  index("media_buys_by_created").on(t.tenantId, t.createdAt, t.id),
  index("media_buys_by_principal").on(t.tenantId, t.principalId, t.createdAt, t.id),
  // What get_media_buys shows by default: the running ones, among however many have ended.
  index("media_buys_by_principal_status").on(t.tenantId, t.principalId, t.status, t.createdAt, t.id).where(sql`${t.confirmedAt} is not null`),
  index("media_buys_clock").on(t.status, t.endsAt).where(sql`${t.status} in ('pending_creatives','pending_start','active','paused')`),
  uniqueIndex("media_buys_handle").on(t.tenantId, t.principalId, t.handle).where(sql`${t.handle} is not null`),
  check("media_buys_status", sql`${t.status} in ('pending_approval','pending_creatives','pending_start','active','paused','completed','rejected','canceled')`),
  check("media_buys_flight", sql`${t.endsAt} > ${t.startsAt}`),
  check("media_buys_budget", sql`${t.budgetMicros} > 0`),
]);

/** What was sold, frozen when the package was made: later edits of the product change nothing here. */
export type SoldSnapshot = {
  productId: string;
  productName: string;
  deliveryType: "guaranteed" | "non_guaranteed";
  pricingOptionId: string;
  /** Set when sold by auction: bids stay at or above it. */
  floorMicros?: string;
  minSpendMicros?: string;
  /** Where the buyer's own terms were agreed: core/measurement-terms.json. */
  measurementTerms?: Record<string, unknown>;
  formatIds: string[];
  /** Where the product runs, which lists of other agents are held against; packages sold before it was noted have neither. */
  domains?: string[];
  collections?: ProductCollection[];
  /** Per connection, in the form of that ad server's productTargetSchema. */
  targets: { adapterConfigId: string; config: Record<string, unknown> }[];
};

export const mediaPackages = pgTable("media_packages", {
  tenantId: tenantId(),
  id: id(),
  mediaBuyId: uuid("media_buy_id").notNull(),
  position: integer("position").notNull(),
  productId: uuid("product_id").notNull(),
  sold: jsonb("sold").$type<SoldSnapshot>().notNull(),
  pricingModel: text("pricing_model", { enum: PRICING_MODELS }).notNull(),
  /** Fixed price or the buyer's bid. Per thousand for cpm. */
  rateMicros: micros("rate_micros").notNull(),
  currency: currency().notNull(),
  budgetMicros: micros("budget_micros").notNull(),
  /** Goal of this package alone: impressions (cpm), clicks (cpc), days (time, flat_rate). */
  units: bigint("units", { mode: "bigint" }).notNull(),
  startsAt: instant("starts_at").notNull(),
  endsAt: instant("ends_at").notNull(),
  pacing: text("pacing", { enum: ["even", "asap", "front_loaded"] }).notNull().default("even"),
  targeting: jsonb("targeting").$type<Record<string, unknown>>().notNull().default({}),
  isPaused: boolean("is_paused").notNull().default(false),
  /** Why it stands still, whatever its buyer wants: a list that its targeting names. Written with package_lists. */
  hold: jsonb("hold").$type<PackageHold>(),
  canceledAt: instant("canceled_at"),
  cancellationReason: text("cancellation_reason"),
  buyerContext: jsonb("buyer_context").$type<Record<string, unknown>>(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  uniqueIndex("media_packages_position").on(t.tenantId, t.mediaBuyId, t.position),
  foreignKey({ columns: [t.tenantId, t.mediaBuyId], foreignColumns: [mediaBuys.tenantId, mediaBuys.id] }),
  foreignKey({ columns: [t.tenantId, t.productId], foreignColumns: [products.tenantId, products.id] }),
  check("media_packages_budget", sql`${t.budgetMicros} > 0 and ${t.units} > 0`),
]);

/** AdCP tasks: what the buyer polls. Ids are prefixed `task_` on the wire. */
export const tasks = pgTable("tasks", {
  tenantId: tenantId(),
  id: id(),
  principalId: uuid("principal_id").notNull(),
  taskType: text("task_type").notNull(),
  status: text("status", { enum: ["submitted", "working", "completed", "rejected", "failed", "canceled"] }).notNull(),
  /** null for what concerns no single account. */
  accountId: uuid("account_id"),
  mediaBuyId: uuid("media_buy_id"),
  /** The id by which a sandbox buyer's test controller asked to know the task, instead of ours. Of several, the newest is meant. */
  handle: text("handle"),
  /** A2A's conversation in which the task began. */
  contextId: text("context_id"),
  /** The buyer's request without credentials: the first entry of the task's history. */
  request: jsonb("request").$type<Record<string, unknown>>(),
  message: text("message"),
  /** The tool's success payload once completed, without envelope. */
  result: jsonb("result").$type<Record<string, unknown>>(),
  error: jsonb("error").$type<Record<string, unknown>>(),
  /** The buyer's `context`, echoed in every answer and webhook about this task. */
  buyerContext: jsonb("buyer_context").$type<Record<string, unknown>>(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
  completedAt: instant("completed_at"),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
  foreignKey({ columns: [t.tenantId, t.accountId], foreignColumns: [accounts.tenantId, accounts.id] }),
  index("tasks_handle").on(t.tenantId, t.principalId, t.handle).where(sql`${t.handle} is not null`),
  index("tasks_by_principal").on(t.tenantId, t.principalId, t.createdAt, t.id),
  index("tasks_by_media_buy").on(t.tenantId, t.mediaBuyId),
]);

/** Answers kept for replays. The row is inserted in the transaction of the change it answers. */
export const idempotencyKeys = pgTable("idempotency_keys", {
  tenantId: tenantId(),
  id: id(),
  principalId: uuid("principal_id").notNull(),
  accountId: uuid("account_id"),
  key: text("key").notNull(),
  tool: text("tool").notNull(),
  requestHash: text("request_hash").notNull(),
  /** null after 24 h: the tombstone that answers IDEMPOTENCY_EXPIRED. */
  response: jsonb("response").$type<Record<string, unknown>>(),
  createdAt: createdAt(),
  expiresAt: instant("expires_at").notNull(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  // Nulls not distinct is set in SQL (0001): the scope is (principal, account, key).
  index("idempotency_keys_expiry").on(t.expiresAt),
]);
