import { parseAsStringLiteral } from "nuqs/server";
import { listParams } from "@/components/data-table/list-params";
import { type MediaBuyStatus } from "@/lib/media-buys/schema";
import { type MediaBuySortKey } from "@/lib/media-buys/search";

// Written out: importing the lists themselves would bring the schema into the browser.
const SORTS = ["createdAt", "startsAt", "endsAt", "name", "budget", "status", "buyer"] as const satisfies readonly MediaBuySortKey[];
export const STATUS_TABS = ["pending_approval", "pending_creatives", "pending_start", "active", "paused", "completed", "rejected", "canceled"] as const satisfies readonly MediaBuyStatus[];

/** State of the list of media buys, kept in its address. */
export const mediaBuyParams = {
  ...listParams(SORTS, "createdAt", "desc"),
  status: parseAsStringLiteral([...STATUS_TABS, "all"] as const).withDefault("all"),
};

/** State of the queue. Its order is fixed: oldest first. */
export const queueParams = {
  ...listParams(["waiting"], "waiting", "asc"),
  kind: parseAsStringLiteral(["all", "media_buy_approval", "fulfilment_blocked", "governance_stopped", "creative_review"] as const).withDefault("all"),
};
