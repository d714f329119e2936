import { sql } from "drizzle-orm";
import { check, foreignKey, index, integer, pgTable, primaryKey, text, unique, uuid } from "drizzle-orm/pg-core";
import { principals } from "../buyers/schema";
import { createdAt, id, instant, tenantId, updatedAt } from "../db/columns";

/** Lists of properties that other agents keep, as a buyer may use them: what the list said when it was last read. */
export const propertyLists = pgTable("property_lists", {
  tenantId: tenantId(),
  id: id(),
  principalId: uuid("principal_id").notNull(),
  agentUrl: text("agent_url").notNull(),
  listId: text("list_id").notNull(),
  /** The token that the buyer gave for it; null: none. */
  tokenEncrypted: text("token_encrypted"),
  /** reading: somebody is to ask the agent. */
  state: text("state", { enum: ["reading", "read", "failed"] }).notNull(),
  attempts: integer("attempts").notNull().default(0),
  /** Domains as the list writes them; null until it was read once. */
  domains: text("domains").array(),
  error: text("error"),
  readAt: instant("read_at"),
  validUntil: instant("valid_until"),
  requestedAt: instant("requested_at").notNull(),
  lastUsedAt: instant("last_used_at").notNull(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  unique("property_lists_key").on(t.tenantId, t.principalId, t.agentUrl, t.listId),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
  index("property_lists_reading").on(t.requestedAt).where(sql`${t.state} = 'reading'`),
  check("property_lists_state", sql`${t.state} in ('reading','read','failed')`),
]);
