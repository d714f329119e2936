import { sql } from "drizzle-orm";
import { check, foreignKey, index, jsonb, pgTable, primaryKey, text, unique, uuid } from "drizzle-orm/pg-core";
import { accounts } from "../accounts/schema";
import { bytes, createdAt, id, instant, tenantId, updatedAt } from "../db/columns";

/** A buyer's own audience in one account, by the buyer's id. */
export const audiences = pgTable("audiences", {
  tenantId: tenantId(),
  id: id(),
  principalId: uuid("principal_id").notNull(),
  accountId: uuid("account_id").notNull(),
  audienceId: text("audience_id").notNull(),
  name: text("name").notNull(),
  description: text("description"),
  audienceType: text("audience_type", { enum: ["crm", "suppression", "lookalike_seed"] }).notNull().default("crm"),
  tags: text("tags").array().notNull().default([]),
  consentBasis: text("consent_basis"),
  lastSyncedAt: instant("last_synced_at").notNull(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  unique("audiences_audience_id_key").on(t.tenantId, t.accountId, t.audienceId),
  foreignKey({ columns: [t.tenantId, t.accountId], foreignColumns: [accounts.tenantId, accounts.id] }),
  check("audiences_type", sql`${t.audienceType} in ('crm','suppression','lookalike_seed')`),
]);

/** Who is in it: identifiers as the buyer hashed them, under the hash of the buyer's own id for the person. Removed people are removed. */
export const audienceMembers = pgTable("audience_members", {
  tenantId: tenantId(),
  audienceId: uuid("audience_id").notNull(),
  memberHash: bytes("member_hash").notNull(),
  identifiers: jsonb("identifiers").$type<{ hashed_email?: string; hashed_phone?: string; uids?: { type: string; value: string }[] }>().notNull(),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.audienceId, t.memberHash] }),
  foreignKey({ columns: [t.tenantId, t.audienceId], foreignColumns: [audiences.tenantId, audiences.id] }),
  index("audience_members_by_audience").on(t.tenantId, t.audienceId),
]);
