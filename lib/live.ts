import { type Ctx } from "./context";
import { notifyAfterCommit } from "./db/client";

/** Things a screen can watch. */
export type LiveTopic = "media_buy" | "sync_job" | "connection" | "product" | "queue" | "buyer" | "creative";

/** Tells open screens of this tenant, after the commit, that something changed. Payload: `<tenant> <topic> <id>`; no data travels. */
export function announceChange(ctx: Pick<Ctx, "db" | "tenantId">, topic: LiveTopic, id: string): void {
  notifyAfterCommit(ctx.db, "greenlight_live", `${ctx.tenantId} ${topic} ${id}`);
}
