import { sql } from "drizzle-orm";
import { check, foreignKey, index, integer, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { bytes, createdAt, id, instant, tenantId } from "../db/columns";
import { tenants } from "../tenants/schema";

/** Staff. Without a tenant: one person may work for several publishers through memberships. */
export const users = pgTable("users", {
  id: id().primaryKey(),
  email: text("email").notNull(),
  name: text("name").notNull(),
  passwordHash: text("password_hash"),
  sessionVersion: integer("session_version").notNull().default(1),
  createdAt: createdAt(),
  archivedAt: instant("archived_at"),
}, (t) => [uniqueIndex("users_email_key").on(sql`lower(${t.email})`)]);

export const memberships = pgTable("memberships", {
  tenantId: tenantId().references(() => tenants.id),
  userId: uuid("user_id").notNull().references(() => users.id),
  role: text("role", { enum: ["admin", "trafficker", "viewer"] }).notNull(),
  /** How whoever invited them calls them. What other publishers call somebody is not this one's to know until they come. */
  invitedName: text("invited_name"),
  createdAt: createdAt(),
  /** null: invited, and has not come yet. */
  activatedAt: instant("activated_at").default(sql`now()`),
  /** Set: opens nothing here any more. Other publishers are not touched. */
  deactivatedAt: instant("deactivated_at"),
}, (t) => [primaryKey({ columns: [t.tenantId, t.userId] }), check("memberships_role", sql`${t.role} in ('admin','trafficker','viewer')`)]);

/**
 * Links by which somebody joins this publisher (join) or sets a new password (reset). Only a link's hash is stored; it works once, until it ends
 * or is replaced. What it may do is decided when it is used: see drizzle's *_staff_people_walls.sql.
 */
export const staffLinks = pgTable("staff_links", {
  tenantId: tenantId(),
  id: id(),
  userId: uuid("user_id").notNull(),
  kind: text("kind", { enum: ["join", "reset"] }).notNull(),
  tokenHash: bytes("token_hash").notNull().unique(),
  createdAt: createdAt(),
  expiresAt: instant("expires_at").notNull(),
  usedAt: instant("used_at"),
  /** Set when a newer link took its place, or the person was deactivated. */
  revokedAt: instant("revoked_at"),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.userId], foreignColumns: [memberships.tenantId, memberships.userId] }),
  index("staff_links_of_person").on(t.tenantId, t.userId, t.createdAt),
]);

/**
 * Password attempts that did not end in a session, counted per e-mail address and per network address (hashes, never the text).
 * Closed to the app's role: see take_sign_in_attempt in drizzle/0002_sign_in_attempts.sql.
 */
export const signInAttempts = pgTable("sign_in_attempts", {
  keyHash: bytes("key_hash").primaryKey(),
  attempts: integer("attempts").notNull(),
  windowEndsAt: instant("window_ends_at").notNull(),
}, (t) => [index("sign_in_attempts_ended").on(t.windowEndsAt)]);
