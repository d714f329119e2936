import { sql } from "drizzle-orm";
import { foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { accounts } from "../accounts/schema";
import { principals } from "../buyers/schema";
import { createdAt, id, instant, tenantId } from "../db/columns";
import { tenants } from "../tenants/schema";

/** What a receiver is told of: one task, one media buy's delivery, an account, or the review of creatives. */
export const RECEIVER_PURPOSES = ["task", "reporting", "account", "creative"] as const;

/** Where a buyer wants to hear of something. */
export const pushNotificationConfigs = pgTable("push_notification_configs", {
  tenantId: tenantId(),
  id: id(),
  principalId: uuid("principal_id").notNull(),
  taskId: uuid("task_id"),
  mediaBuyId: uuid("media_buy_id"),
  accountId: uuid("account_id"),
  purpose: text("purpose", { enum: RECEIVER_PURPOSES }).notNull().default("task"),
  /** In which form the receiver is told: AdCP's webhook payload, or an A2A task. */
  form: text("form", { enum: ["adcp", "a2a"] }).notNull().default("adcp"),
  /** The id by which an A2A client knows it; a later one of the same id replaces it. */
  clientId: text("client_id"),
  url: text("url").notNull(),
  operationId: text("operation_id"),
  /** The buyer's validation token, echoed in each webhook. */
  tokenEncrypted: text("token_encrypted"),
  /** Legacy schemes the buyer asked for; null means RFC 9421. */
  authScheme: text("auth_scheme", { enum: ["Bearer", "HMAC-SHA256"] }),
  credentialsEncrypted: text("credentials_encrypted"),
  createdAt: createdAt(),
  /** Replaced by a later one; what was queued for it is still sent. */
  archivedAt: instant("archived_at"),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
  foreignKey({ columns: [t.tenantId, t.accountId], foreignColumns: [accounts.tenantId, accounts.id] }),
  index("push_notification_configs_task").on(t.tenantId, t.taskId),
  index("push_notification_configs_by_principal").on(t.tenantId, t.principalId, t.url),
  uniqueIndex("push_notification_configs_account").on(t.tenantId, t.accountId).where(sql`${t.purpose} = 'account' and ${t.archivedAt} is null`),
]);

/** One row per event and receiver. `audience` staff: a Slack-compatible message, unsigned. */
export const webhookDeliveries = pgTable("webhook_deliveries", {
  tenantId: tenantId().references(() => tenants.id),
  id: id(),
  audience: text("audience", { enum: ["buyer", "staff"] }).notNull(),
  configId: uuid("config_id"),
  mediaBuyId: uuid("media_buy_id"),
  taskId: uuid("task_id"),
  /** Names the event: `task:<id>:completed`. */
  eventKey: text("event_key").notNull(),
  /** Byte-stable over retries. */
  idempotencyKey: text("idempotency_key").notNull(),
  body: jsonb("body").$type<Record<string, unknown>>().notNull(),
  state: text("state", { enum: ["pending", "delivered", "dead"] }).notNull().default("pending"),
  attempts: integer("attempts").notNull().default(0),
  nextAttemptAt: instant("next_attempt_at").notNull().default(sql`now()`),
  lastAttemptAt: instant("last_attempt_at"),
  lastStatus: integer("last_status"),
  lastError: text("last_error"),
  deliveredAt: instant("delivered_at"),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  unique("webhook_deliveries_event").on(t.tenantId, t.configId, t.eventKey).nullsNotDistinct(),
  foreignKey({ columns: [t.tenantId, t.configId], foreignColumns: [pushNotificationConfigs.tenantId, pushNotificationConfigs.id] }),
  index("webhook_deliveries_by_media_buy").on(t.tenantId, t.mediaBuyId),
  index("webhook_deliveries_due").on(t.nextAttemptAt).where(sql`${t.state} = 'pending'`),
]);

/** Keys that sign what we send. The operator's, shared by all publishers of this installation; public halves are in the JWKS. */
export const signingKeys = pgTable("signing_keys", {
  kid: text("kid").primaryKey(),
  algorithm: text("algorithm", { enum: ["ed25519"] }).notNull(),
  publicJwk: jsonb("public_jwk").$type<Record<string, unknown>>().notNull(),
  privateJwkEncrypted: text("private_jwk_encrypted").notNull(),
  createdAt: createdAt(),
  /** Published from its creation on, it signs from here on: receivers that keep the JWKS for a while know it by then. */
  activatesAt: instant("activates_at").notNull().default(sql`now()`),
  /** No longer signs; published for 30 days more, for receivers that verify late. */
  retiredAt: instant("retired_at"),
});
