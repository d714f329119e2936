import { foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { accounts } from "../accounts/schema";
import { principals } from "../buyers/schema";
import { bytes, createdAt, id, instant, tenantId, updatedAt } from "../db/columns";
import { mediaPackages } from "../media-buys/schema";
import { pushNotificationConfigs } from "../webhooks/schema";
import { type FormatId } from "../products/schema";

export const CREATIVE_STATUSES = ["processing", "pending_review", "approved", "rejected", "archived"] as const;

/** The buyer's library. `creative_id` is the buyer's own id, unique in an account. */
export const creatives = pgTable("creatives", {
  tenantId: tenantId(),
  id: id(),
  principalId: uuid("principal_id").notNull(),
  accountId: uuid("account_id").notNull(),
  creativeId: text("creative_id").notNull(),
  name: text("name").notNull(),
  formatId: jsonb("format_id").$type<FormatId>().notNull(),
  /** The protocol's manifest: asset key → asset. */
  assets: jsonb("assets").$type<Record<string, unknown>>().notNull(),
  status: text("status", { enum: CREATIVE_STATUSES }).notNull(),
  rejectionReason: text("rejection_reason"),
  tags: text("tags").array().notNull().default([]),
  /** Where the buyer hears of its review: the receiver of the last sync that named one. */
  receiverId: uuid("receiver_id"),
  contentHash: text("content_hash").notNull(),
  version: integer("version").notNull().default(1),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
  archivedAt: instant("archived_at"),
  /** What it was when it was archived; null while it is not. */
  archivedFrom: text("archived_from", { enum: CREATIVE_STATUSES }),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  unique("creatives_creative_id_key").on(t.tenantId, t.accountId, t.creativeId),
  foreignKey({ columns: [t.tenantId, t.accountId], foreignColumns: [accounts.tenantId, accounts.id] }),
  foreignKey({ columns: [t.tenantId, t.receiverId], foreignColumns: [pushNotificationConfigs.tenantId, pushNotificationConfigs.id] }),
  index("creatives_by_principal").on(t.tenantId, t.principalId, t.createdAt, t.id),
]);

export const creativeAssignments = pgTable("creative_assignments", {
  tenantId: tenantId(),
  packageId: uuid("package_id").notNull(),
  creativeId: uuid("creative_id").notNull(),
  weight: integer("weight"),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.packageId, t.creativeId] }),
  index("creative_assignments_by_creative").on(t.tenantId, t.creativeId),
  foreignKey({ columns: [t.tenantId, t.packageId], foreignColumns: [mediaPackages.tenantId, mediaPackages.id] }),
  foreignKey({ columns: [t.tenantId, t.creativeId], foreignColumns: [creatives.tenantId, creatives.id] }),
]);

/** A page that shows a creative to whoever knows its address, for a while. Only the address's SHA-256 is kept. */
export const creativePreviews = pgTable("creative_previews", {
  tenantId: tenantId(),
  id: id(),
  principalId: uuid("principal_id").notNull(),
  tokenHash: bytes("token_hash").notNull(),
  /** The whole document, made from the manifest when it was asked for. */
  html: text("html").notNull(),
  createdAt: createdAt(),
  expiresAt: instant("expires_at").notNull(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
  uniqueIndex("creative_previews_token").on(t.tokenHash),
  index("creative_previews_expiry").on(t.expiresAt),
]);
