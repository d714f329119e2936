import { sql } from "drizzle-orm";
import { bigint, foreignKey, index, integer, jsonb, pgTable, primaryKey, real, text, uuid } from "drizzle-orm/pg-core";
import { principals } from "../buyers/schema";
import { instant, tenantId } from "../db/columns";
import { tenants } from "../tenants/schema";

export const TRANSPORTS = ["mcp", "rest", "a2a"] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** Why a token did not open the door. elsewhere: it works, but not at this address. unknown: no publisher here ever issued it. */
export const REFUSALS = ["revoked", "expired", "archived", "elsewhere", "unknown"] as const;
export type Refusal = (typeof REFUSALS)[number];

/** The outcome of a call that was answered; any other outcome is an error's code. */
export const OK = "ok";

/** Buyers' calls as staff look them up. Written after the answer, in batches; see buffer.ts for what is written one by one and what is counted. */
export const buyerCalls = pgTable("buyer_calls", {
  tenantId: tenantId().references(() => tenants.id),
  id: bigint("id", { mode: "number" }).notNull().generatedAlwaysAsIdentity(),
  /** null: nobody's token, or none. */
  principalId: uuid("principal_id"),
  /** The token, or the signing key where no token was sent. */
  tokenId: uuid("token_id"),
  /** First characters of a token that nobody here issued. */
  tokenPrefix: text("token_prefix"),
  refusal: text("refusal", { enum: REFUSALS }),
  tool: text("tool").notNull(),
  transport: text("transport", { enum: TRANSPORTS }).notNull(),
  outcome: text("outcome").notNull(),
  field: text("field"),
  message: text("message"),
  suggestion: text("suggestion"),
  issues: jsonb("issues").$type<unknown[]>(),
  /** null when the row stands for several calls. */
  requestId: uuid("request_id"),
  /** Of several calls: their mean. */
  durationMs: real("duration_ms").notNull(),
  calls: integer("calls").notNull().default(1),
  /** As the buyer named them: whether they exist is another question. */
  accountId: uuid("account_id"),
  mediaBuyId: uuid("media_buy_id"),
  /** Of a call that failed: what was sent, without credentials, cut to a bounded size. */
  request: jsonb("request").$type<Record<string, unknown>>(),
  /** Of several calls: the last. */
  at: instant("at").notNull(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
  index("buyer_calls_by_principal").on(t.tenantId, t.principalId, t.at, t.id),
  index("buyer_calls_failed").on(t.tenantId, t.principalId, t.at).where(sql`${t.outcome} <> 'ok'`),
  index("buyer_calls_kept").on(t.tenantId, t.at),
]);
