import { foreignKey, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { principals } from "../buyers/schema";
import { createdAt, tenantId } from "../db/columns";

export const FIXTURE_KINDS = ["product", "pricing_option", "creative", "plan", "media_buy", "creative_format", "create_media_buy_arm"] as const;
export type FixtureKind = (typeof FIXTURE_KINDS)[number];

/** What a sandbox buyer's test controller was told to prepare, by the buyer's own ids. Plans and formats live here alone; of the rest it tells replays. */
export const sandboxFixtures = pgTable("sandbox_fixtures", {
  tenantId: tenantId(),
  principalId: uuid("principal_id").notNull(),
  kind: text("kind", { enum: FIXTURE_KINDS }).notNull(),
  key: text("key").notNull(),
  content: jsonb("content").$type<Record<string, unknown>>().notNull(),
  createdAt: createdAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.principalId, t.kind, t.key] }),
  foreignKey({ columns: [t.tenantId, t.principalId], foreignColumns: [principals.tenantId, principals.id] }),
]);
