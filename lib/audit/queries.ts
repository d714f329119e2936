import { and, asc, desc, eq, isNotNull, lt, or, type SQL, sql } from "drizzle-orm";
import { requirePermission } from "../auth/permissions";
import { memberships, users } from "../auth/schema";
import { principals } from "../buyers/schema";
import { redactRequest, redactText } from "../call-log/redact";
import { type Ctx } from "../context";
import { fromWireId, type IdKind, isUuid } from "../ids";
import { type AuditedKind } from "./kinds";
import { auditLog } from "./schema";

export type AuditFilter = {
  /** `person:<id>`, `buyer:<id>`, `system` for what Greenlight did by itself, "" for everybody. */
  who: string;
  kind: AuditedKind | null;
  /** Id of one thing, as screens or buyers write it; "" for all. What concerns an order is found by the order's. */
  object: string;
  /** Days (2026-01-31) in `timeZone`, both included; "" leaves that end open. */
  from: string;
  to: string;
  timeZone: string;
  /** Entries older than this one; null: from the newest. */
  before: number | null;
};

export type AuditRow = Awaited<ReturnType<typeof listAudit>>["rows"][number];

const PAGE_SIZE = 50;
const TEXT_MAX = 1_000;

/** Who did what, newest first, fifty at a time. `older`: what `before` is for the next page; null at the end. Secrets are taken out once more. */
export async function listAudit(ctx: Ctx, filter: AuditFilter) {
  requirePermission(ctx.actor, "audit.read");
  const found = await ctx.db.select().from(auditLog)
    .where(and(eq(auditLog.tenantId, ctx.tenantId), ofActor(filter.who), filter.kind === null ? undefined : ofKind(filter.kind), ofObject(filter.object), ofDays(filter), filter.before === null ? undefined : lt(auditLog.id, filter.before)))
    .orderBy(desc(auditLog.id)).limit(PAGE_SIZE + 1);
  const rows = found.slice(0, PAGE_SIZE).map(({ before, after, ...row }) => ({
    ...row, summary: redactText(row.summary, TEXT_MAX), before: before === null ? null : redactRequest(before), after: after === null ? null : redactRequest(after),
  }));
  return { rows, older: found.length > PAGE_SIZE ? (rows.at(-1)?.id ?? null) : null };
}

/** Whom the log can be filtered by: everybody who is or was here, and every buyer, by name. Who never came has done nothing, and their name is not ours to tell. */
export async function listAuditActors(ctx: Ctx): Promise<{ people: Actor[]; buyers: Actor[] }> {
  requirePermission(ctx.actor, "audit.read");
  const [people, buyers] = await Promise.all([
    ctx.db.select({ id: users.id, name: users.name }).from(memberships).innerJoin(users, eq(users.id, memberships.userId)).where(and(eq(memberships.tenantId, ctx.tenantId), isNotNull(memberships.activatedAt))).orderBy(asc(users.name), asc(users.id)).limit(ACTORS_MAX),
    ctx.db.select({ id: principals.id, name: principals.name }).from(principals).where(eq(principals.tenantId, ctx.tenantId)).orderBy(asc(principals.name), asc(principals.id)).limit(ACTORS_MAX),
  ]);
  return { people, buyers };
}

type Actor = { id: string; name: string };
const ACTORS_MAX = 500;

const NOTHING = sql`false`;
/** Word for word what the partial indexes are made with. */
const IS_NOT_OF_ORDERS = sql`${auditLog.objectKind} not in ('media_buy', 'fulfilment')`;

function ofActor(who: string): SQL | undefined {
  if (who === "") return undefined;
  if (who === "system") return sql`${auditLog.actorKind} = 'system'`;
  const [kind, id = ""] = who.split(":");
  if (!isUuid(id)) return NOTHING;
  if (kind === "person") return and(sql`${auditLog.actorKind} = 'user'`, eq(auditLog.actorId, id));
  return kind === "buyer" ? and(sql`${auditLog.actorKind} = 'principal'`, eq(auditLog.actorId, id)) : NOTHING;
}

function ofKind(kind: AuditedKind): SQL | undefined {
  return and(eq(auditLog.objectKind, kind), kind === "media_buy" || kind === "fulfilment" ? undefined : IS_NOT_OF_ORDERS);
}

const WIRE_KINDS: readonly IdKind[] = ["mediaBuy", "account", "principal", "creative", "audience"];

function ofObject(text: string): SQL | undefined {
  const given = text.trim();
  if (given === "") return undefined;
  const id = isUuid(given) ? given.toLowerCase() : WIRE_KINDS.map((kind) => fromWireId(kind, given)).find((found) => found !== undefined);
  return id === undefined ? NOTHING : or(eq(auditLog.mediaBuyId, id), and(eq(auditLog.objectId, id), IS_NOT_OF_ORDERS));
}

function ofDays({ from, to, timeZone }: Pick<AuditFilter, "from" | "to" | "timeZone">): SQL | undefined {
  return and(
    from === "" ? undefined : sql`${auditLog.createdAt} >= (${from}::date::timestamp at time zone ${timeZone})`,
    to === "" ? undefined : sql`${auditLog.createdAt} < ((${to}::date + 1)::timestamp at time zone ${timeZone})`,
  );
}
