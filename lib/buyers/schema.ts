import { boolean, foreignKey, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { bytes, createdAt, id, instant, tenantId } from "../db/columns";
import { tenants } from "../tenants/schema";

/** A buyer's identity with us. All accounts of a sandbox principal are sandbox accounts. */
export const principals = pgTable("principals", {
  tenantId: tenantId().references(() => tenants.id),
  id: id(),
  name: text("name").notNull(),
  isSandbox: boolean("is_sandbox").notNull().default(false),
  platformMappings: jsonb("platform_mappings").$type<Record<string, unknown>>().notNull().default({}),
  createdAt: createdAt(),
  archivedAt: instant("archived_at"),
}, (t) => [primaryKey({ columns: [t.tenantId, t.id] })]);

/** Only the SHA-256 of a token is stored, and its first characters for display. */
export const principalTokens = pgTable("principal_tokens", {
  tenantId: tenantId(),
  id: id(),
  principalId: uuid("principal_id").notNull(),
  tokenHash: bytes("token_hash").notNull(),
  prefix: text("prefix").notNull(),
  scopes: text("scopes").array().notNull().default([]),
  expiresAt: instant("expires_at"),
  revokedAt: instant("revoked_at"),
  lastUsedAt: instant("last_used_at"),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  uniqueIndex("principal_tokens_hash_key").on(t.tokenHash),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
]);
