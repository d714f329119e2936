import { sql } from "drizzle-orm";
import { check, integer, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { createdAt, id, instant, tenantId } from "../db/columns";
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
  createdAt: createdAt(),
}, (t) => [primaryKey({ columns: [t.tenantId, t.userId] }), check("memberships_role", sql`${t.role} in ('admin','trafficker','viewer')`)]);
