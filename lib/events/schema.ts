import { sql } from "drizzle-orm";
import { bigint, index, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { createdAt, instant, tenantId } from "../db/columns";
import { tenants } from "../tenants/schema";

/** Events that follow from a change, written in its transaction; the relay sends them on. */
export const outbox = pgTable("outbox", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  tenantId: tenantId().references(() => tenants.id),
  eventId: text("event_id").notNull().unique(),
  name: text("name").notNull(),
  data: jsonb("data").$type<Record<string, unknown>>().notNull(),
  createdAt: createdAt(),
  leaseUntil: instant("lease_until"),
  leaseOwner: uuid("lease_owner"),
  attempts: integer("attempts").notNull().default(0),
  lastError: text("last_error"),
  sentAt: instant("sent_at"),
}, (t) => [index("outbox_unsent").on(t.id).where(sql`${t.sentAt} is null`), index("outbox_sent").on(t.sentAt).where(sql`${t.sentAt} is not null`)]);

/** Heartbeats of the worker processes, for /health and the status page. No tenant: these are the operator's. */
export const workers = pgTable("workers", {
  id: uuid("id").primaryKey(),
  startedAt: instant("started_at").notNull(),
  heartbeatAt: instant("heartbeat_at").notNull(),
  info: jsonb("info").$type<Record<string, unknown>>().notNull().default({}),
});
