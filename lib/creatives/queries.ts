import { and, asc, count, desc, eq, exists, gt, ilike, inArray, isNotNull, isNull, lt, not, or, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { type AccountRow } from "../accounts/present";
import { accounts } from "../accounts/schema";
import { type PageRequest, type Position } from "../adcp/cursor";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { fromWireId } from "../ids";
import { mediaBuys, mediaPackages } from "../media-buys/schema";
import { matchMediaBuys } from "../media-buys/media-buy-id";
import { containsPattern } from "../paging";
import { findFormat } from "./formats";
import { CREATIVE_STATUSES, creativeAssignments, creatives } from "./schema";
import { type CreativeRow } from "./to-desired";

const texts = z.array(z.string());
const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** The protocol's creative-filters that this library can answer. */
export const creativeFilters = z.looseObject({
  accounts: z.array(z.unknown()).optional(),
  statuses: z.array(z.enum(CREATIVE_STATUSES)).optional(),
  tags: texts.optional(),
  tags_any: texts.optional(),
  name_contains: z.string().optional(),
  creative_ids: texts.optional(),
  created_after: instant.optional(),
  created_before: instant.optional(),
  updated_after: instant.optional(),
  updated_before: instant.optional(),
  assigned_to_packages: texts.optional(),
  media_buy_ids: texts.optional(),
  unassigned: z.boolean().optional(),
  has_served: z.boolean().optional(),
  concept_ids: texts.optional(),
  format_ids: z.array(z.looseObject({ id: z.string() })).optional(),
  has_variables: z.boolean().optional(),
});
export type CreativeFilters = z.infer<typeof creativeFilters>;

export const creativeSort = z.looseObject({
  field: z.enum(["created_date", "updated_date", "name", "status", "assignment_count"]).default("created_date"),
  direction: z.enum(["asc", "desc"]).default("desc"),
});
export type CreativeSort = z.infer<typeof creativeSort>;

export type ListedCreative = { creative: CreativeRow; account: AccountRow; assignmentCount: number };

/** Counts confirmed orders' packages only: the others are not the buyer's to see. */
const assignmentCount = sql<number>`(
  select count(*)::int from creative_assignments a join media_packages p on p.tenant_id = a.tenant_id and p.id = a.package_id
  join media_buys b on b.tenant_id = p.tenant_id and b.id = p.media_buy_id and b.confirmed_at is not null
  where a.tenant_id = ${creatives.tenantId} and a.creative_id = ${creatives.id})`;

/** What a creative is sorted by, and how that value looks in a cursor. */
const SORTS: Record<CreativeSort["field"], { column: SQL; valueOf(row: ListedCreative): string | number }> = {
  created_date: { column: sql`(extract(epoch from ${creatives.createdAt}) * 1000)::bigint`, valueOf: ({ creative }) => creative.createdAt.getTime() },
  updated_date: { column: sql`(extract(epoch from ${creatives.updatedAt}) * 1000)::bigint`, valueOf: ({ creative }) => creative.updatedAt.getTime() },
  name: { column: sql`${creatives.name}`, valueOf: ({ creative }) => creative.name },
  status: { column: sql`${creatives.status}`, valueOf: ({ creative }) => creative.status },
  assignment_count: { column: assignmentCount, valueOf: (row) => row.assignmentCount },
};

export function positionOf(sort: CreativeSort): (row: ListedCreative) => Position {
  return (row) => [SORTS[sort.field].valueOf(row), row.creative.id];
}

export type CreativeQuery = { session: BuyerSession; accounts: AccountRow[] | null; filters: CreativeFilters; sort: CreativeSort; page: PageRequest };

/** The buyer's creatives, one more than the page holds, with totals over all pages. */
export async function listCreatives(ctx: Ctx, query: CreativeQuery): Promise<{ rows: ListedCreative[]; total: number; byStatus: Record<string, number>; byFormat: Record<string, number> }> {
  const { sort, page } = query;
  const where = and(eq(creatives.tenantId, ctx.tenantId), eq(creatives.principalId, query.session.principalId), accountCondition(query.accounts), ...filterConditions(ctx, query.filters));
  const { column } = SORTS[sort.field];
  const [order, beyond] = sort.direction === "asc" ? [asc, gt] : [desc, lt];
  const [value, id] = page.after ?? [];
  const after = page.after ? or(beyond(column, sql`${value}`), and(eq(column, sql`${value}`), beyond(creatives.id, String(id)))) : undefined;
  const selectRows = ctx.db.select({ creative: creatives, account: accounts, assignmentCount })
    .from(creatives)
    .innerJoin(accounts, and(eq(accounts.tenantId, creatives.tenantId), eq(accounts.id, creatives.accountId)))
    .where(and(where, after)).orderBy(order(column), order(creatives.id)).limit(page.limit + 1);
  const selectGroups = ctx.db.select({ status: creatives.status, formatId: sql<string>`${creatives.formatId} ->> 'id'`, total: count() }).from(creatives).where(where).groupBy(creatives.status, sql`${creatives.formatId} ->> 'id'`);
  const [rows, groups] = await Promise.all([selectRows, selectGroups]);
  const byStatus: Record<string, number> = {};
  const byFormat: Record<string, number> = {};
  for (const group of groups) {
    byStatus[group.status] = (byStatus[group.status] ?? 0) + group.total;
    byFormat[group.formatId] = (byFormat[group.formatId] ?? 0) + group.total;
  }
  return { rows, total: groups.reduce((sum, group) => sum + group.total, 0), byStatus, byFormat };
}

export async function loadAssignedPackages(ctx: Ctx, creativeIds: string[]): Promise<{ creativeId: string; packageId: string; assignedAt: Date }[]> {
  if (creativeIds.length === 0) return [];
  return ctx.db.select({ creativeId: creativeAssignments.creativeId, packageId: creativeAssignments.packageId, assignedAt: creativeAssignments.createdAt })
    .from(creativeAssignments)
    .innerJoin(mediaPackages, and(eq(mediaPackages.tenantId, creativeAssignments.tenantId), eq(mediaPackages.id, creativeAssignments.packageId)))
    .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, mediaPackages.tenantId), eq(mediaBuys.id, mediaPackages.mediaBuyId), isNotNull(mediaBuys.confirmedAt)))
    .where(and(eq(creativeAssignments.tenantId, ctx.tenantId), inArray(creativeAssignments.creativeId, creativeIds)))
    .orderBy(asc(creativeAssignments.createdAt), asc(creativeAssignments.packageId));
}

function accountCondition(named: AccountRow[] | null): SQL | undefined {
  return named === null ? undefined : named.length === 0 ? sql`false` : inArray(creatives.accountId, named.map(({ id }) => id));
}

function filterConditions(ctx: Ctx, filters: CreativeFilters): (SQL | undefined)[] {
  const assigned = (...conditions: (SQL | undefined)[]) => exists(
    ctx.db.select({ one: sql`1` }).from(creativeAssignments)
      .innerJoin(mediaPackages, and(eq(mediaPackages.tenantId, creativeAssignments.tenantId), eq(mediaPackages.id, creativeAssignments.packageId)))
      .innerJoin(mediaBuys, and(eq(mediaBuys.tenantId, mediaPackages.tenantId), eq(mediaBuys.id, mediaPackages.mediaBuyId), isNotNull(mediaBuys.confirmedAt)))
      .where(and(eq(creativeAssignments.tenantId, creatives.tenantId), eq(creativeAssignments.creativeId, creatives.id), ...conditions)),
  );
  const packageIds = filters.assigned_to_packages?.flatMap((id) => fromWireId("package", id) ?? []);
    const formatIds = filters.format_ids?.flatMap(({ id }) => equalFormatIds(id));
  return [
    filters.statuses ? inArray(creatives.status, filters.statuses) : isNull(creatives.archivedAt),
    filters.tags ? sql`${creatives.tags} @> ${textArray(filters.tags)}` : undefined,
    filters.tags_any ? sql`${creatives.tags} && ${textArray(filters.tags_any)}` : undefined,
    filters.name_contains === undefined ? undefined : ilike(creatives.name, containsPattern(filters.name_contains)),
    filters.creative_ids ? inArray(creatives.creativeId, filters.creative_ids) : undefined,
    filters.created_after ? gt(creatives.createdAt, filters.created_after) : undefined,
    filters.created_before ? lt(creatives.createdAt, filters.created_before) : undefined,
    filters.updated_after ? gt(creatives.updatedAt, filters.updated_after) : undefined,
    filters.updated_before ? lt(creatives.updatedAt, filters.updated_before) : undefined,
    packageIds ? (packageIds.length > 0 ? assigned(inArray(mediaPackages.id, packageIds)) : sql`false`) : undefined,
    filters.media_buy_ids ? assigned(matchMediaBuys(filters.media_buy_ids)) : undefined,
    filters.unassigned === undefined ? undefined : filters.unassigned ? not(assigned()) : assigned(),
    formatIds ? inArray(sql`${creatives.formatId} ->> 'id'`, formatIds) : undefined,
    // No creative here has variables or belongs to a concept.
    filters.has_variables === true || filters.concept_ids ? sql`false` : undefined,
  ];
}

/** Every id that means the same format. */
function equalFormatIds(id: string): string[] {
  const format = findFormat(id);
  return format ? [format.id, ...format.aliases] : [id];
}

function textArray(values: string[]): SQL {
  return sql`array[${sql.join(values.map((value) => sql`${value}`), sql`, `)}]::text[]`;
}

