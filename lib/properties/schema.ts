import { boolean, jsonb, pgTable, primaryKey, text, unique } from "drizzle-orm/pg-core";
import { createdAt, id, instant, tenantId } from "../db/columns";
import { tenants } from "../tenants/schema";

/** Domains whose inventory this publisher may sell. */
export const publisherPartners = pgTable("publisher_partners", {
  tenantId: tenantId().references(() => tenants.id),
  id: id(),
  publisherDomain: text("publisher_domain").notNull(),
  properties: jsonb("properties").$type<Record<string, unknown>[]>().notNull().default([]),
  tags: text("tags").array().notNull().default([]),
  isVerified: boolean("is_verified").notNull().default(false),
  createdAt: createdAt(),
  archivedAt: instant("archived_at"),
}, (t) => [primaryKey({ columns: [t.tenantId, t.id] }), unique("publisher_partners_domain_key").on(t.tenantId, t.publisherDomain)]);
