import { and, asc, count, desc, eq, ilike, inArray, sql } from "drizzle-orm";
import { adapterConfigs } from "../ad-servers/schema";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { isUuid } from "../ids";
import { containsPattern, type PageQuery, pageWindow } from "../paging";
import { syncJobs } from "./schema";

const SORT_COLUMNS = { created: syncJobs.createdAt, connection: adapterConfigs.name };
/** An instant that a window function answers. */
const instantOf = (value: string) => new Date(value);

export type SyncJobListInput = PageQuery & {
  /** Part of the connection's name. */
  search: string;
  /** One connection alone; an id that is none finds nothing. */
  connection: string | null;
  state: "all" | "open" | "succeeded" | "failed";
  /** Runs of one kind and connection that succeeded one after the other are one line, or each is. */
  runs: "folded" | "each";
  sort: keyof typeof SORT_COLUMNS;
  direction: "asc" | "desc";
};

const STATES = { open: ["queued", "running"], succeeded: ["succeeded"], failed: ["failed"] } as const;

export type SyncJobRow = Awaited<ReturnType<typeof listSyncJobs>>["rows"][number];

/**
 * Tests and syncs of this publisher, with counts of lines per state. A folded line is its last run; `runs` says how many it stands for and
 * `firstAt` when the first of them was asked for. Whatever did not succeed stands alone and ends a line.
 */
export async function listSyncJobs(ctx: Ctx, input: SyncJobListInput) {
  requirePermission(ctx.actor, "connection.read");
  if (input.connection !== null && !isUuid(input.connection)) return { rows: [], total: 0, counts: { all: 0, open: 0, succeeded: 0, failed: 0 } };
  const ofConnection = and(eq(adapterConfigs.tenantId, syncJobs.tenantId), eq(adapterConfigs.id, syncJobs.adapterConfigId));
  const matches = and(
    eq(syncJobs.tenantId, ctx.tenantId),
    input.connection === null ? undefined : eq(syncJobs.adapterConfigId, input.connection),
    input.search === "" ? undefined : ilike(adapterConfigs.name, containsPattern(input.search)),
  );
  const numbered = ctx.db.select({
    id: syncJobs.id, adapterConfigId: syncJobs.adapterConfigId, kind: syncJobs.kind, state: syncJobs.state, createdAt: syncJobs.createdAt,
    stretch: input.runs === "each"
      ? sql`${syncJobs.id}`.as("stretch")
      : sql`count(*) filter (where ${syncJobs.state} <> 'succeeded') over (partition by ${syncJobs.adapterConfigId}, ${syncJobs.kind} order by ${syncJobs.createdAt}, ${syncJobs.id})`.as("stretch"),
  }).from(syncJobs).where(eq(syncJobs.tenantId, ctx.tenantId)).as("numbered");
  const ofLine = sql`partition by ${numbered.adapterConfigId}, ${numbered.kind}, ${numbered.stretch}, ${numbered.state} = 'succeeded'`;
  const lines = ctx.db.select({
    id: numbered.id,
    place: sql<number>`row_number() over (${ofLine} order by ${numbered.createdAt} desc, ${numbered.id} desc)`.as("place"),
    runs: sql<number>`count(*) over (${ofLine})`.as("runs"),
    firstAt: sql<string>`min(${numbered.createdAt}) over (${ofLine})`.as("first_at"),
  }).from(numbered).as("lines");
  const ofJob = and(eq(lines.id, syncJobs.id), eq(lines.place, 1));
  const order = input.direction === "desc" ? desc : asc;
  const { limit, offset } = pageWindow(input);
  const [rows, states] = await Promise.all([
    ctx.db.select({
      id: syncJobs.id, kind: syncJobs.kind, state: syncJobs.state, adapterConfigId: syncJobs.adapterConfigId, connectionName: adapterConfigs.name, requestedBy: syncJobs.requestedBy,
      phases: syncJobs.phases, counts: syncJobs.counts, error: syncJobs.error, leaseUntil: syncJobs.leaseUntil, startedAt: syncJobs.startedAt, finishedAt: syncJobs.finishedAt, createdAt: syncJobs.createdAt,
      runs: sql`${lines.runs}`.mapWith(Number), firstAt: sql`${lines.firstAt}`.mapWith(instantOf),
    }).from(syncJobs).innerJoin(adapterConfigs, ofConnection).innerJoin(lines, ofJob)
      .where(and(matches, input.state === "all" ? undefined : inArray(syncJobs.state, STATES[input.state])))
      .orderBy(order(SORT_COLUMNS[input.sort]), order(syncJobs.id)).limit(limit).offset(offset),
    ctx.db.select({ state: syncJobs.state, count: count() }).from(syncJobs).innerJoin(adapterConfigs, ofConnection).innerJoin(lines, ofJob).where(matches).groupBy(syncJobs.state),
  ]);
  const countOf = (...wanted: string[]) => states.filter(({ state }) => wanted.includes(state)).reduce((sum, row) => sum + row.count, 0);
  const counts = { all: countOf("queued", "running", "succeeded", "failed"), open: countOf(...STATES.open), succeeded: countOf(...STATES.succeeded), failed: countOf(...STATES.failed) };
  return { rows, total: counts[input.state], counts };
}
