import { sql } from "drizzle-orm";
import { boolean, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { accounts } from "../accounts/schema";
import { createdAt, id, instant, tenantId, updatedAt } from "../db/columns";
import { mediaBuys } from "../media-buys/schema";

/** Agents that must agree before an order of the account is accepted (sync_governance). A newer list archives what it leaves out. */
export const governanceAgents = pgTable("governance_agents", {
  tenantId: tenantId(),
  id: id(),
  accountId: uuid("account_id").notNull(),
  position: integer("position").notNull(),
  url: text("url").notNull(),
  authScheme: text("auth_scheme", { enum: ["Bearer", "HMAC-SHA256"] }).notNull(),
  /** Write-only: shown to nobody. */
  credentialsEncrypted: text("credentials_encrypted").notNull(),
  /** null: all of them. */
  categories: text("categories").array(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
  archivedAt: instant("archived_at"),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.accountId], foreignColumns: [accounts.tenantId, accounts.id] }),
  uniqueIndex("governance_agents_url").on(t.tenantId, t.accountId, t.url).where(sql`${t.archivedAt} is null`),
]);

export const REVIEW_STATES = ["asking", "approved", "refused", "stopped", "withdrawn"] as const;

/** What an order waits for: its plan, checked by every agent of its account. One per order. */
export const governanceReviews = pgTable("governance_reviews", {
  tenantId: tenantId(),
  id: id(),
  mediaBuyId: uuid("media_buy_id").notNull(),
  taskId: uuid("task_id").notNull(),
  planId: text("plan_id").notNull(),
  state: text("state", { enum: REVIEW_STATES }).notNull().default("asking"),
  /** What happens once they agree: staff decide, or the order is confirmed. */
  isReviewRequired: boolean("is_review_required").notNull(),
  /** The token that came with the order. */
  contextEncrypted: text("context_encrypted"),
  /** The earliest end of the agents' approvals. */
  expiresAt: instant("expires_at"),
  decidedAt: instant("decided_at"),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.mediaBuyId], foreignColumns: [mediaBuys.tenantId, mediaBuys.id] }),
  uniqueIndex("governance_reviews_media_buy").on(t.tenantId, t.mediaBuyId),
  index("governance_reviews_open").on(t.updatedAt).where(sql`${t.state} in ('asking','approved')`),
]);

/** governance/check-governance-response.json, as far as it is kept. */
export type Finding = { category_id: string; severity: string; explanation: string; [key: string]: unknown };
export type Condition = { field: string; reason: string; required_value?: unknown };

export const CHECK_STATES = ["pending", "approved", "conditions", "denied", "unanswered", "withdrawn"] as const;

/** One agent's answer about one order; asked again, the newer answer stands. */
export const governanceChecks = pgTable("governance_checks", {
  tenantId: tenantId(),
  id: id(),
  reviewId: uuid("review_id").notNull(),
  agentId: uuid("agent_id").notNull(),
  state: text("state", { enum: CHECK_STATES }).notNull().default("pending"),
  attempts: integer("attempts").notNull().default(0),
  nextAttemptAt: instant("next_attempt_at").notNull(),
  lastError: text("last_error"),
  /** The agent's error code, where it refused with one. */
  code: text("code"),
  checkId: text("check_id"),
  explanation: text("explanation"),
  findings: jsonb("findings").$type<Finding[]>().notNull().default([]),
  conditions: jsonb("conditions").$type<Condition[]>().notNull().default([]),
  /** The agent's own token: every later check of this order carries it. */
  contextEncrypted: text("context_encrypted"),
  expiresAt: instant("expires_at"),
  answeredAt: instant("answered_at"),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.reviewId], foreignColumns: [governanceReviews.tenantId, governanceReviews.id] }),
  foreignKey({ columns: [t.tenantId, t.agentId], foreignColumns: [governanceAgents.tenantId, governanceAgents.id] }),
  uniqueIndex("governance_checks_agent").on(t.tenantId, t.reviewId, t.agentId),
  index("governance_checks_due").on(t.nextAttemptAt).where(sql`${t.state} = 'pending'`),
]);
