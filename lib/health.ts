import { sql } from "drizzle-orm";
import { z } from "zod";
import packageJson from "../package.json" with { type: "json" };
import { lookUp } from "./db/client";

export type Health = { status: "ok" | "starting" | "degraded"; version: string; database: "ok" | "down"; worker: "ok" | "down"; outboxLagMs: number | null };

/** A worker that has not reported for this long counts as down. */
const WORKER_SILENCE_MS = 10_000;

const row = z.object({ worker_heartbeat_at: z.coerce.date().nullable(), outbox_oldest_at: z.coerce.date().nullable(), now: z.coerce.date() });

/** What `GET /health` answers. Ready (200) means: the database answers and a worker reports. */
export async function readHealth(): Promise<Health> {
  const version = packageJson.version;
  try {
    const [found] = await lookUp(row, sql`select h.worker_heartbeat_at, h.outbox_oldest_at, now() as now from service_health() h`);
    if (!found) throw new Error("service_health() answered no row");
    const silence = found.worker_heartbeat_at ? found.now.getTime() - found.worker_heartbeat_at.getTime() : Infinity;
    const worker = silence < WORKER_SILENCE_MS ? "ok" : "down";
    const outboxLagMs = found.outbox_oldest_at ? Math.max(0, found.now.getTime() - found.outbox_oldest_at.getTime()) : 0;
    return { status: worker === "ok" ? "ok" : "degraded", version, database: "ok", worker, outboxLagMs };
  } catch {
    return { status: "degraded", version, database: "down", worker: "down", outboxLagMs: null };
  }
}
