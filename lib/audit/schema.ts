import { sql } from "drizzle-orm";
import { bigint, index, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { createdAt, tenantId } from "../db/columns";
import { tenants } from "../tenants/schema";

/** Who did what to which object, with what changed. */
export const auditLog = pgTable("audit_log", {
  tenantId: tenantId().references(() => tenants.id),
  id: bigint("id", { mode: "number" }).notNull().generatedAlwaysAsIdentity(),
  actorKind: text("actor_kind", { enum: ["user", "principal", "system"] }).notNull(),
  actorId: uuid("actor_id"),
  actorLabel: text("actor_label").notNull(),
  action: text("action").notNull(),
  objectKind: text("object_kind").notNull(),
  objectId: text("object_id").notNull(),
  mediaBuyId: uuid("media_buy_id"),
  summary: text("summary").notNull(),
  before: jsonb("before").$type<Record<string, unknown>>(),
  after: jsonb("after").$type<Record<string, unknown>>(),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  index("audit_log_by_media_buy").on(t.tenantId, t.mediaBuyId, t.id),
  // Of creatives alone: each order writes here too, and an index costs every write.
  index("audit_log_by_creative").on(t.tenantId, t.objectId, t.id).where(sql`${t.objectKind} = 'creative'`),
  index("audit_log_list").on(t.tenantId, t.createdAt, t.id),
  // Partial, so that orders, which are most of the log, cost no more to write: they are found by audit_log_by_media_buy.
  index("audit_log_by_person").on(t.tenantId, t.actorId, t.id).where(sql`${t.actorKind} = 'user'`),
  index("audit_log_by_object").on(t.tenantId, t.objectId, t.id).where(sql`${t.objectKind} not in ('media_buy', 'fulfilment')`),
  index("audit_log_by_kind").on(t.tenantId, t.objectKind, t.id).where(sql`${t.objectKind} not in ('media_buy', 'fulfilment')`),
]);
