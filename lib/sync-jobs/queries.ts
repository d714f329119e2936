import { and, asc, count, desc, eq, ilike, inArray } from "drizzle-orm";
import { adapterConfigs } from "../ad-servers/schema";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { isUuid } from "../ids";
import { containsPattern, type PageQuery, pageWindow } from "../paging";
import { syncJobs } from "./schema";

const SORT_COLUMNS = { created: syncJobs.createdAt, connection: adapterConfigs.name };

export type SyncJobListInput = PageQuery & {
  /** Part of the connection's name. */
  search: string;
  /** One connection alone; an id that is none finds nothing. */
  connection: string | null;
  state: "all" | "open" | "succeeded" | "failed";
  sort: keyof typeof SORT_COLUMNS;
  direction: "asc" | "desc";
};

const STATES = { open: ["queued", "running"], succeeded: ["succeeded"], failed: ["failed"] } as const;

export type SyncJobRow = Awaited<ReturnType<typeof listSyncJobs>>["rows"][number];

/** Tests and syncs of this publisher, with counts per state. */
export async function listSyncJobs(ctx: Ctx, input: SyncJobListInput) {
  requirePermission(ctx.actor, "connection.read");
  if (input.connection !== null && !isUuid(input.connection)) return { rows: [], total: 0, counts: { all: 0, open: 0, succeeded: 0, failed: 0 } };
  const ofConnection = and(eq(adapterConfigs.tenantId, syncJobs.tenantId), eq(adapterConfigs.id, syncJobs.adapterConfigId));
  const matches = and(
    eq(syncJobs.tenantId, ctx.tenantId),
    input.connection === null ? undefined : eq(syncJobs.adapterConfigId, input.connection),
    input.search === "" ? undefined : ilike(adapterConfigs.name, containsPattern(input.search)),
  );
  const order = input.direction === "desc" ? desc : asc;
  const { limit, offset } = pageWindow(input);
  const [rows, states] = await Promise.all([
    ctx.db.select({
      id: syncJobs.id, kind: syncJobs.kind, state: syncJobs.state, adapterConfigId: syncJobs.adapterConfigId, connectionName: adapterConfigs.name, requestedBy: syncJobs.requestedBy,
      phases: syncJobs.phases, counts: syncJobs.counts, error: syncJobs.error, leaseUntil: syncJobs.leaseUntil, startedAt: syncJobs.startedAt, finishedAt: syncJobs.finishedAt, createdAt: syncJobs.createdAt,
    }).from(syncJobs).innerJoin(adapterConfigs, ofConnection)
      .where(and(matches, input.state === "all" ? undefined : inArray(syncJobs.state, STATES[input.state])))
      .orderBy(order(SORT_COLUMNS[input.sort]), order(syncJobs.id)).limit(limit).offset(offset),
    ctx.db.select({ state: syncJobs.state, count: count() }).from(syncJobs).innerJoin(adapterConfigs, ofConnection).where(matches).groupBy(syncJobs.state),
  ]);
  const countOf = (...wanted: string[]) => states.filter(({ state }) => wanted.includes(state)).reduce((sum, row) => sum + row.count, 0);
  const counts = { all: countOf("queued", "running", "succeeded", "failed"), open: countOf(...STATES.open), succeeded: countOf(...STATES.succeeded), failed: countOf(...STATES.failed) };
  return { rows, total: counts[input.state], counts };
}
