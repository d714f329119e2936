import { type Ctx } from "./context";
import { notifyAfterCommit } from "./db/client";

/** Things a screen can watch. */
export const LIVE_TOPICS = ["media_buy", "sync_job", "connection", "product", "queue", "buyer", "creative", "staff"] as const;
export type LiveTopic = (typeof LIVE_TOPICS)[number];

/** Tells open screens of this tenant, after the commit, that something changed. Payload: `<tenant> <topic> <id>`; no data travels. */
export function announceChange(ctx: Pick<Ctx, "db" | "tenantId">, topic: LiveTopic, id: string): void {
  notifyAfterCommit(ctx.db, "greenlight_live", `${ctx.tenantId} ${topic} ${id}`);
}
