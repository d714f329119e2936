import { sql } from "drizzle-orm";
import { foreignKey, index, integer, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { createdAt, id, instant, tenantId, updatedAt } from "../db/columns";
import { mediaBuys } from "../media-buys/schema";
import { pushNotificationConfigs } from "../webhooks/schema";
import { REPORTING_FREQUENCIES } from "./capabilities";

/** A buyer's wish to be sent the delivery of one media buy, and how far that has come. */
export const reportingSubscriptions = pgTable("reporting_subscriptions", {
  tenantId: tenantId(),
  id: id(),
  mediaBuyId: uuid("media_buy_id").notNull(),
  configId: uuid("config_id").notNull(),
  frequency: text("frequency", { enum: REPORTING_FREQUENCIES }).notNull(),
  /** null: all there are. Impressions and spend are always among them. */
  requestedMetrics: text("requested_metrics").array(),
  /** Whose days and months are reported: the first connection's. */
  timeZone: text("time_zone").notNull(),
  /** Number of the last notice. */
  sequenceNumber: integer("sequence_number").notNull().default(0),
  /** Beginning of the next window to report. */
  windowStartsAt: instant("window_starts_at").notNull(),
  /** That the window's figures were late was told. */
  delayedAt: instant("delayed_at"),
  /** Figures that changed after this are sent again. */
  adjustedUntil: instant("adjusted_until").notNull(),
  nextCheckAt: instant("next_check_at").notNull(),
  /** The final notice is queued. */
  endedAt: instant("ended_at"),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
}, (t) => [
  primaryKey({ columns: [t.tenantId, t.id] }),
  foreignKey({ columns: [t.tenantId, t.mediaBuyId], foreignColumns: [mediaBuys.tenantId, mediaBuys.id] }),
  foreignKey({ columns: [t.tenantId, t.configId], foreignColumns: [pushNotificationConfigs.tenantId, pushNotificationConfigs.id] }),
  uniqueIndex("reporting_subscriptions_media_buy").on(t.tenantId, t.mediaBuyId),
  index("reporting_subscriptions_due").on(t.nextCheckAt).where(sql`${t.endedAt} is null`),
]);
