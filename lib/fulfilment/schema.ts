import { sql } from "drizzle-orm";
import { bigint, check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from "drizzle-orm/pg-core";
import { adapterConfigs } from "../ad-servers/schema";
import { type Difference } from "../ad-servers/types";
import { createdAt, id, instant, tenantId, updatedAt } from "../db/columns";
import { mediaBuys } from "../media-buys/schema";

export const FULFILMENT_STATES = ["pending", "applying", "awaiting_ad_server", "in_sync", "blocked", "failed", "ended"] as const;
export type FulfilmentState = (typeof FULFILMENT_STATES)[number];

/** One per (media buy, connection): how far the ad server reflects what was sold. */
export const fulfilments = pgTable("fulfilments", {
  tenantId: tenantId(),
  id: id(),
  mediaBuyId: uuid("media_buy_id").notNull(),
  adapterConfigId: uuid("adapter_config_id").notNull(),
  state: text("state", { enum: FULFILMENT_STATES }).notNull().default("pending"),
  desiredVersion: integer("desired_version").notNull(),
  /** The newest version known to be in the ad server; 0 before the first. */
  appliedVersion: integer("applied_version").notNull().default(0),
  /** The external order number (int32) drawn once from the connection's own range. */
  externalOrderNumber: integer("external_order_number"),
  blockedCode: text("blocked_code"),
  blockedReason: text("blocked_reason"),
  /** Differences found by the last read-back; empty when in sync. */
  drift: jsonb("drift").$type<Difference[]>().notNull().default([]),
  observedAt: instant("observed_at"),
  /** Since when, and how often, we have waited for the ad server (forecast, approval). */
  waitingSince: instant("waiting_since"),
  waitCount: integer("wait_count").notNull().default(0),
  /** Publisher's answer to a block: `overbook` or `skip_inventory_check`, else null. */
  inventoryOverride: text("inventory_override", { enum: ["overbook", "skip_inventory_check"] }),
  leaseOwner: text("lease_owner"),
  leaseUntil: instant("lease_until"),
  /** Fencing token: rises with each new owner; a write with an older one changes nothing. */
  leaseEpoch: bigint("lease_epoch", { mode: "number" }).notNull().default(0),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  unique("fulfilments_media_buy_connection").on(t.tenantId, t.mediaBuyId, t.adapterConfigId),
  foreignKey({ columns: [t.tenantId, t.mediaBuyId], foreignColumns: [mediaBuys.tenantId, mediaBuys.id] }),
  foreignKey({ columns: [t.tenantId, t.adapterConfigId], foreignColumns: [adapterConfigs.tenantId, adapterConfigs.id] }),
  index("fulfilments_by_state").on(t.tenantId, t.state),
  check("fulfilments_state", sql`${t.state} in ('pending','applying','awaiting_ad_server','in_sync','blocked','failed','ended')`),
]);

/** The journal: an intent row is committed before any remote effect, the result after it. */
export const fulfilmentOperations = pgTable("fulfilment_operations", {
  tenantId: tenantId(),
  id: id(),
  fulfilmentId: uuid("fulfilment_id").notNull(),
  desiredVersion: integer("desired_version").notNull(),
  position: integer("position").notNull(),
  /** Stable within a version: names the effect, such as `create-order` or `create-line-items:0`. */
  operationKey: text("operation_key").notNull(),
  kind: text("kind").notNull(),
  /** One line for people. */
  summary: text("summary").notNull(),
  payload: jsonb("payload").$type<Record<string, unknown>>().notNull(),
  intentHash: text("intent_hash").notNull(),
  state: text("state", { enum: ["planned", "started", "done", "failed", "unknown", "superseded"] }).notNull().default("planned"),
  attempts: integer("attempts").notNull().default(0),
  externalIds: jsonb("external_ids").$type<Record<string, string>>(),
  correlationId: text("correlation_id"),
  error: jsonb("error").$type<{ code: string; message: string; isPermanent: boolean; correlationId?: string }>(),
  startedAt: instant("started_at"),
  finishedAt: instant("finished_at"),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  unique("fulfilment_operations_key").on(t.tenantId, t.fulfilmentId, t.desiredVersion, t.operationKey, t.intentHash),
  foreignKey({ columns: [t.tenantId, t.fulfilmentId], foreignColumns: [fulfilments.tenantId, fulfilments.id] }),
  index("fulfilment_operations_list").on(t.tenantId, t.fulfilmentId, t.desiredVersion, t.position),
]);
