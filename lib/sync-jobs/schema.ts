import { sql } from "drizzle-orm";
import { foreignKey, index, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { adapterConfigs } from "../ad-servers/schema";
import { createdAt, id, instant, tenantId } from "../db/columns";

export const SYNC_JOB_KINDS = ["connection_test", "inventory", "delivery", "availability"] as const;
export type SyncPhase = { name: string; state: "waiting" | "running" | "done" | "failed"; done: number; total?: number };

export const syncJobs = pgTable("sync_jobs", {
  tenantId: tenantId(),
  id: id(),
  adapterConfigId: uuid("adapter_config_id").notNull(),
  kind: text("kind", { enum: SYNC_JOB_KINDS }).notNull(),
  state: text("state", { enum: ["queued", "running", "succeeded", "failed"] }).notNull().default("queued"),
  requestedBy: text("requested_by").notNull(),
  phases: jsonb("phases").$type<SyncPhase[]>().notNull().default([]),
  counts: jsonb("counts").$type<Record<string, number>>().notNull().default({}),
  error: jsonb("error").$type<{ code: string; message: string; correlationId?: string }>(),
  leaseOwner: text("lease_owner"),
  leaseUntil: instant("lease_until"),
  heartbeatAt: instant("heartbeat_at"),
  startedAt: instant("started_at"),
  finishedAt: instant("finished_at"),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.adapterConfigId], foreignColumns: [adapterConfigs.tenantId, adapterConfigs.id] }),
  index("sync_jobs_list").on(t.tenantId, t.createdAt, t.id),
  // One at a time per connection and kind; a second click finds the first.
  uniqueIndex("sync_jobs_open").on(t.tenantId, t.adapterConfigId, t.kind).where(sql`${t.state} in ('queued','running')`),
]);
