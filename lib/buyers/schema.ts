import { bigint, boolean, doublePrecision, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { bytes, createdAt, id, instant, tenantId } from "../db/columns";
import { tenants } from "../tenants/schema";
import { type RateOverrides } from "./rate-limits";

/** A buyer's identity with us. All accounts of a sandbox principal are sandbox accounts. */
export const principals = pgTable("principals", {
  tenantId: tenantId().references(() => tenants.id),
  id: id(),
  name: text("name").notNull(),
  isSandbox: boolean("is_sandbox").notNull().default(false),
  /** Unsigned changes of this buyer are refused. */
  isSigningRequired: boolean("is_signing_required").notNull().default(false),
  /** Where staff set other limits than the defaults: see rate-limits.ts. */
  rateLimits: jsonb("rate_limits").$type<RateOverrides>().notNull().default({}),
  /** Shows what is sold and how it is priced, without amounts; every order of theirs waits for a person. */
  arePricesHidden: boolean("are_prices_hidden").notNull().default(false),
  platformMappings: jsonb("platform_mappings").$type<Record<string, unknown>>().notNull().default({}),
  createdAt: createdAt(),
  archivedAt: instant("archived_at"),
}, (t) => [primaryKey({ columns: [t.tenantId, t.id] })]);

/** Only the SHA-256 of a token is stored, and its first characters for display. */
export const principalTokens = pgTable("principal_tokens", {
  tenantId: tenantId(),
  id: id(),
  principalId: uuid("principal_id").notNull(),
  /** What staff call it: "Production", "Laptop of …". */
  name: text("name").notNull().default(""),
  tokenHash: bytes("token_hash").notNull(),
  prefix: text("prefix").notNull(),
  /** See scopes.ts. None, or `*`: everything. */
  scopes: text("scopes").array().notNull().default([]),
  expiresAt: instant("expires_at"),
  revokedAt: instant("revoked_at"),
  /** To the minute, and written after the answer. */
  lastUsedAt: instant("last_used_at"),
  /** The token that took this one's place; this one then works until `expiresAt`, at the latest. */
  replacedById: uuid("replaced_by_id"),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  uniqueIndex("principal_tokens_hash_key").on(t.tokenHash),
  index("principal_tokens_by_principal").on(t.tenantId, t.principalId, t.createdAt),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
  foreignKey({ columns: [t.tenantId, t.replacedById], foreignColumns: [t.tenantId, t.id] }),
]);

/** Public keys with which a buyer signs its requests (RFC 9421). A key id is one key for ever: a revoked one is never given to another key. */
export const buyerSigningKeys = pgTable("buyer_signing_keys", {
  tenantId: tenantId(),
  id: id(),
  principalId: uuid("principal_id").notNull(),
  kid: text("kid").notNull(),
  publicJwk: jsonb("public_jwk").$type<Record<string, unknown>>().notNull(),
  lastUsedAt: instant("last_used_at"),
  createdAt: createdAt(),
  revokedAt: instant("revoked_at"),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  uniqueIndex("buyer_signing_keys_kid").on(t.tenantId, t.kid),
  index("buyer_signing_keys_look_up").on(t.kid),
  index("buyer_signing_keys_by_principal").on(t.tenantId, t.principalId, t.createdAt),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
]);

/**
 * Nonces of signatures that were accepted, until nobody could present them again. Written and read by two functions alone
 * (drizzle, identity_door), which come before a tenant is known.
 */
export const signatureNonces = pgTable("signature_nonces", {
  keyId: uuid("key_id").notNull(),
  /** SHA-256 of address and nonce. */
  nonceHash: bytes("nonce_hash").notNull(),
  createdAt: createdAt(),
  expiresAt: instant("expires_at").notNull(),
}, (t) => [
  primaryKey({ columns: [t.keyId, t.nonceHash] }),
  index("signature_nonces_recent").on(t.keyId, t.createdAt),
  index("signature_nonces_expiry").on(t.expiresAt),
]);

/** What is left of a token's allowance for one tool. Processes take it in blocks. Not logged: after a crash everybody starts with a full one. */
export const rateBuckets = pgTable("rate_buckets", {
  tenantId: tenantId(),
  principalId: uuid("principal_id").notNull(),
  /** The token, or the signing key where no token was sent. */
  subjectId: uuid("subject_id").notNull(),
  tool: text("tool").notNull(),
  perSecond: doublePrecision("per_second").notNull(),
  burst: integer("burst").notNull(),
  available: doublePrecision("available").notNull(),
  refilledAt: instant("refilled_at").notNull(),
  /** Since when `taken` and `refused` count: a minute at least. */
  countedSince: instant("counted_since").notNull(),
  taken: bigint("taken", { mode: "number" }).notNull(),
  refused: bigint("refused", { mode: "number" }).notNull(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.subjectId, t.tool] }),
  index("rate_buckets_by_principal").on(t.tenantId, t.principalId),
]);
