import { sql } from "drizzle-orm";
import { check, foreignKey, index, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { creatives } from "../creatives/schema";
import { createdAt, id, instant, tenantId, updatedAt } from "../db/columns";
import { mediaBuys } from "../media-buys/schema";

/** Whatever waits for a person. */
export const WORKFLOW_STEP_KINDS = ["media_buy_approval", "fulfilment_blocked", "governance_stopped", "creative_review"] as const;
export const WORKFLOW_STEP_STATES = ["requires_approval", "pending", "approved", "rejected", "completed", "failed"] as const;

export type StepChoice = { id: string; label: string };

export const workflowSteps = pgTable("workflow_steps", {
  tenantId: tenantId(),
  id: id(),
  kind: text("kind", { enum: WORKFLOW_STEP_KINDS }).notNull(),
  state: text("state", { enum: WORKFLOW_STEP_STATES }).notNull(),
  /** What it is about: an order, or a creative of a buyer's library. */
  mediaBuyId: uuid("media_buy_id"),
  creativeId: uuid("creative_id"),
  fulfilmentId: uuid("fulfilment_id"),
  taskId: uuid("task_id"),
  /** For an order that is stopped: what is wrong and the labelled choices. */
  payload: jsonb("payload").$type<{ code?: string; reason?: string; choices?: StepChoice[] }>().notNull().default({}),
  dueAt: instant("due_at"),
  decision: text("decision"),
  reason: text("reason"),
  decidedBy: uuid("decided_by"),
  decidedByLabel: text("decided_by_label"),
  decidedAt: instant("decided_at"),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.mediaBuyId], foreignColumns: [mediaBuys.tenantId, mediaBuys.id] }),
  foreignKey({ columns: [t.tenantId, t.creativeId], foreignColumns: [creatives.tenantId, creatives.id] }),
  check("workflow_steps_subject", sql`num_nonnulls(${t.mediaBuyId}, ${t.creativeId}) = 1`),
  index("workflow_steps_queue").on(t.tenantId, t.state, t.createdAt, t.id),
  index("workflow_steps_by_media_buy").on(t.tenantId, t.mediaBuyId),
  index("workflow_steps_by_creative").on(t.tenantId, t.creativeId).where(sql`${t.creativeId} is not null`),
  // One open step per thing that waits.
  uniqueIndex("workflow_steps_open_approval").on(t.tenantId, t.mediaBuyId).where(sql`${t.kind} = 'media_buy_approval' and ${t.state} = 'requires_approval'`),
  uniqueIndex("workflow_steps_open_governance").on(t.tenantId, t.mediaBuyId).where(sql`${t.kind} = 'governance_stopped' and ${t.state} = 'pending'`),
  uniqueIndex("workflow_steps_open_blocked").on(t.tenantId, t.fulfilmentId).where(sql`${t.kind} = 'fulfilment_blocked' and ${t.state} = 'pending'`),
  uniqueIndex("workflow_steps_open_creative").on(t.tenantId, t.creativeId).where(sql`${t.kind} = 'creative_review' and ${t.state} = 'requires_approval'`),
]);
