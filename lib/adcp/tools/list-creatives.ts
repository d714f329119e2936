import { z } from "zod";
import { presentAccount } from "../../accounts/present";
import { type AccountRow, findAccountToRead } from "../../accounts/service";
import { type Ctx } from "../../context";
import { creativeFilters, type CreativeSort, creativeSort, listCreatives, type ListedCreative, loadAssignedPackages, positionOf } from "../../creatives/queries";
import { withTenant } from "../../db/client";
import { AppError, invariant } from "../../errors";
import { toWireId } from "../../ids";
import { buyerActor } from "../buyer-actor";
import { type PageRequest, listOf, readPage, toPage } from "../cursor";
import { type BuyerSession, type Tool } from "../tool";

const listInput = z.looseObject({
  filters: creativeFilters.optional(),
  sort: creativeSort.optional(),
  account: z.unknown().optional(),
  include_assignments: z.boolean().default(true),
  include_snapshot: z.boolean().default(false),
  fields: z.array(z.string()).optional(),
});
type ListInput = z.infer<typeof listInput>;

/** Required by the response's schema: `fields` never takes these away. */
const REQUIRED_FIELDS = ["creative_id", "name", "format_id", "status", "created_date", "updated_date"];

export const listCreativesTool: Tool = {
  kind: "read",
  name: "list_creatives",
  title: "Your creatives",
  description: "The creatives in your library with their approval and the packages they are assigned to; filtered, sorted, in pages. Archived ones only if you ask for that status.",
  access: "principal",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  run({ session, tenantId, now, log }, request) {
    invariant(session, "list_creatives without a buyer");
    const input = listInput.parse(request);
    assertShortLists(input.filters ?? {});
    if (input.filters?.has_served !== undefined) throw new AppError("UNSUPPORTED_FEATURE", "Creatives cannot be filtered by delivery here.", { field: "filters.has_served" });
    const sort = input.sort ?? creativeSort.parse({});
    const page = readPage(request, listOf({ tenantId, session }, "list_creatives"));
    return withTenant(tenantId, (db) => answer({ db, tenantId, actor: buyerActor(session), now, log }, session, input, sort, page));
  },
};

/** The protocol bounds only some of its lists. */
const FILTER_LENGTH_MAX = 100;

function assertShortLists(filters: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(filters)) {
    if (Array.isArray(value) && value.length > FILTER_LENGTH_MAX) throw new AppError("INVALID_REQUEST", `A filter lists at most ${FILTER_LENGTH_MAX} values.`, { field: `filters.${name}` });
  }
}

async function answer(ctx: Ctx, session: BuyerSession, input: ListInput, sort: CreativeSort, page: PageRequest) {
  const named = await namedAccounts(ctx, session, input);
  const filters = input.filters ?? {};
  const { rows, total, byStatus, byFormat } = await listCreatives(ctx, { session, accounts: named, filters, sort, page });
  const { rows: shown, pagination } = toPage(rows, page, positionOf(sort), total);
  const assigned = input.include_assignments ? await loadAssignedPackages(ctx, shown.map(({ creative }) => creative.id)) : null;
  const applied = Object.entries(filters).filter(([, value]) => value !== undefined).map(([name]) => name);
  return {
    payload: {
      query_summary: { total_matching: total, returned: shown.length, ...(applied.length > 0 ? { filters_applied: applied } : {}), sort_applied: { field: sort.field, direction: sort.direction } },
      pagination,
      creatives: shown.map((row) => presentCreative(row, assigned, input)),
      ...(total > 0 ? { format_summary: byFormat, status_summary: byStatus } : {}),
      ...(session.isSandbox ? { sandbox: true } : {}),
    },
    summary: `${shown.length} of ${total} creatives.`,
  };
}

/** null: all the buyer's accounts. */
async function namedAccounts(ctx: Ctx, session: BuyerSession, input: ListInput): Promise<AccountRow[] | null> {
  const refs = [...(input.account === undefined ? [] : [{ ref: input.account, field: "account" }]), ...(input.filters?.accounts ?? []).map((ref, index) => ({ ref, field: `filters.accounts[${index}]` }))];
  if (refs.length === 0) return null;
  const found = [];
  for (const { ref, field } of refs) {
    found.push(await findAccountToRead(ctx, session, ref).catch((error: unknown) => {
      throw error instanceof AppError && error.field === "account" ? new AppError(error.code, error.userMessage, { field, suggestion: error.suggestion }) : error;
    }));
  }
  if (input.account === undefined || input.filters?.accounts === undefined) return found;
  const [account, ...filtered] = found;
  return filtered.filter(({ id }) => id === account?.id);
}

function presentCreative({ creative, account, assignmentCount }: ListedCreative, assigned: Awaited<ReturnType<typeof loadAssignedPackages>> | null, input: ListInput): Record<string, unknown> {
  const packages = assigned?.filter(({ creativeId }) => creativeId === creative.id).map(({ packageId, assignedAt }) => ({ package_id: toWireId("package", packageId), assigned_date: assignedAt.toISOString() }));
  const whole: Record<string, unknown> = {
    creative_id: creative.creativeId,
    account: presentAccount(account),
    name: creative.name,
    format_id: creative.formatId,
    status: creative.status,
    created_date: creative.createdAt.toISOString(),
    updated_date: creative.updatedAt.toISOString(),
    assets: creative.assets,
    tags: creative.tags,
    ...(packages ? { assignments: { assignment_count: assignmentCount, ...(packages.length > 0 ? { assigned_packages: packages } : {}) } } : {}),
    ...(input.include_snapshot ? { snapshot_unavailable_reason: "SNAPSHOT_UNSUPPORTED" } : {}),
  };
  const { fields } = input;
  return fields ? Object.fromEntries(Object.entries(whole).filter(([name]) => REQUIRED_FIELDS.includes(name) || fields.includes(name))) : whole;
}
