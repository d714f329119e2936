import { bigint, date, foreignKey, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { instant, tenantId } from "../db/columns";
import { productTargets } from "../products/schema";

/** What an ad server expects of a product's inventory, as of the last sync. One row per product and connection. */
export const productAvailability = pgTable("product_availability", {
  tenantId: tenantId(),
  productId: uuid("product_id").notNull(),
  adapterConfigId: uuid("adapter_config_id").notNull(),
  /** The target that was asked about: once the product is mapped otherwise, the figures are not about it any more. */
  config: jsonb("config").$type<Record<string, unknown>>().notNull(),
  /** Day of the connection's zone to which the first figures belong. */
  firstDay: date("first_day").notNull(),
  /** Impressions by day that are expected, and that nobody has reserved. */
  forecast: bigint("forecast", { mode: "number" }).array().notNull(),
  available: bigint("available", { mode: "number" }).array().notNull(),
  /** Why the ad server cannot say; null: it did. */
  reason: text("reason"),
  generatedAt: instant("generated_at").notNull(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.productId, t.adapterConfigId] }),
  foreignKey({ columns: [t.tenantId, t.productId, t.adapterConfigId], foreignColumns: [productTargets.tenantId, productTargets.productId, productTargets.adapterConfigId] }).onDelete("cascade"),
]);
