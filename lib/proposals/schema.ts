import { sql } from "drizzle-orm";
import { check, foreignKey, index, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { principals } from "../buyers/schema";
import { createdAt, currency, instant, tenantId } from "../db/columns";

/** One product's share of a proposal. Percentages of a proposal sum to 100. */
export type Allocation = { productId: string; pricingOptionId: string; percentage: number; rationale: string };

/** A plan made for one buyer's brief. Draft: indicative; committed: may be ordered until it expires. */
export const proposals = pgTable("proposals", {
  tenantId: tenantId(),
  /** On the wire as it is. */
  id: text("id").notNull(),
  principalId: uuid("principal_id").notNull(),
  brief: text("brief").notNull(),
  name: text("name").notNull(),
  currency: currency().notNull(),
  allocations: jsonb("allocations").$type<Allocation[]>().notNull(),
  status: text("status", { enum: ["draft", "committed"] }).notNull(),
  expiresAt: instant("expires_at").notNull(),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
  index("proposals_by_principal").on(t.tenantId, t.principalId, t.createdAt),
  check("proposals_status", sql`${t.status} in ('draft','committed')`),
]);
