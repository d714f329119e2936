import { sql } from "drizzle-orm";
import { check, foreignKey, index, integer, pgTable, primaryKey, text, unique, uuid } from "drizzle-orm/pg-core";
import { principals } from "../buyers/schema";
import { createdAt, id, instant, tenantId, updatedAt } from "../db/columns";
import { mediaPackages } from "../media-buys/schema";
import { LIST_FIELDS } from "./fields";

/** Lists of properties or collections that other agents keep, as a buyer may use them: what the list said when it was last read. */
export const inventoryLists = pgTable("inventory_lists", {
  tenantId: tenantId(),
  id: id(),
  principalId: uuid("principal_id").notNull(),
  kind: text("kind", { enum: ["property", "collection"] }).notNull(),
  agentUrl: text("agent_url").notNull(),
  listId: text("list_id").notNull(),
  /** The token that the buyer gave for it; null: none. */
  tokenEncrypted: text("token_encrypted"),
  /** reading: somebody is to ask the agent. */
  state: text("state", { enum: ["reading", "read", "failed"] }).notNull(),
  attempts: integer("attempts").notNull().default(0),
  /** What it holds, in the form of lib/inventory-lists/match.ts; null until it was read once. */
  entries: text("entries").array(),
  error: text("error"),
  readAt: instant("read_at"),
  validUntil: instant("valid_until"),
  requestedAt: instant("requested_at").notNull(),
  lastUsedAt: instant("last_used_at").notNull(),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  unique("inventory_lists_key").on(t.tenantId, t.principalId, t.kind, t.agentUrl, t.listId),
  foreignKey({ name: "inventory_lists_principal_fk", columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
  index("inventory_lists_reading").on(t.requestedAt).where(sql`${t.state} = 'reading'`),
  check("inventory_lists_kind", sql`${t.kind} in ('property','collection')`),
  check("inventory_lists_state", sql`${t.state} in ('reading','read','failed')`),
]);

/** Which lists a package keeps to, one a field of its targeting. */
export const packageLists = pgTable("package_lists", {
  tenantId: tenantId(),
  packageId: uuid("package_id").notNull(),
  field: text("field", { enum: LIST_FIELDS }).notNull(),
  mediaBuyId: uuid("media_buy_id").notNull(),
  listId: uuid("list_id").notNull(),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.packageId, t.field] }),
  foreignKey({ columns: [t.tenantId, t.packageId], foreignColumns: [mediaPackages.tenantId, mediaPackages.id] }),
  // A list goes once no running order keeps to it.
  foreignKey({ columns: [t.tenantId, t.listId], foreignColumns: [inventoryLists.tenantId, inventoryLists.id] }).onDelete("cascade"),
  index("package_lists_list").on(t.tenantId, t.listId),
  index("package_lists_media_buy").on(t.tenantId, t.mediaBuyId),
  check("package_lists_field", sql`${t.field} in ('property_list','collection_list','collection_list_exclude')`),
]);
