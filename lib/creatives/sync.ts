import { z } from "zod";
import { type AccountRow } from "../accounts/present";
import { type BuyerSession } from "../adcp/tool";
import { toWireError } from "../adcp/wire-error";
import { type Ctx } from "../context";
import { withSavepoint } from "../db/client";
import { AppError } from "../errors";
import { parseReceiver } from "../webhooks/service";
import { assignCreatives, type AssignmentOutcome } from "./assign";
import { setCreativeReceiver } from "./receiver";
import { archiveOthers, type CreativeOutcome, platformId, upsertCreatives } from "./service";

const syncInput = z.looseObject({
  creatives: z.array(z.looseObject({ creative_id: z.string() })),
  creative_ids: z.array(z.string()).optional(),
  assignments: z.array(z.looseObject({ creative_id: z.string(), package_id: z.string() })).default([]),
  delete_missing: z.boolean().default(false),
  dry_run: z.boolean().default(false),
  push_notification_config: z.looseObject({}).optional(),
  validation_mode: z.enum(["strict", "lenient"]).default("strict"),
});

const ASSIGNMENTS_MAX = 1_000;

/** Ends a dry run: everything it wrote is rolled back to the savepoint before it. */
class DryRunEnd extends Error {
  constructor(readonly results: Record<string, unknown>[]) {
    super("dry run");
  }
}

/**
 * sync_creatives: the payload's `creatives`, one result per creative. In strict mode a single mistake undoes everything and is thrown; in
 * lenient mode what is valid is kept.
 */
export async function syncCreatives(ctx: Ctx, { session, account, request }: { session: BuyerSession; account: AccountRow; request: Record<string, unknown> }): Promise<{ results: Record<string, unknown>[]; isDryRun: boolean }> {
  const input = syncInput.parse(request);
  if (input.delete_missing && input.creative_ids) throw new AppError("INVALID_REQUEST", "delete_missing concerns the whole library and does not go with creative_ids.", { field: "delete_missing" });
  if (input.assignments.length > ASSIGNMENTS_MAX) throw new AppError("INVALID_REQUEST", `One request assigns at most ${ASSIGNMENTS_MAX} times.`, { field: "assignments" });
  const receiver = input.push_notification_config;
  if (receiver) parseReceiver(receiver, "push_notification_config");
  const sync = async (inner: Ctx) => {
    const items = input.creatives.filter((item) => input.creative_ids?.includes(item.creative_id) ?? true);
    const outcomes = await upsertCreatives(inner, { session, account, items });
    if (receiver) await setCreativeReceiver(inner, { account, config: receiver, creativeIds: outcomes.filter(({ errors }) => errors.length === 0).map(({ creativeId }) => creativeId) });
    if (input.delete_missing) outcomes.push(...(await archiveOthers(inner, account, input.creatives.map((item) => item.creative_id))));
    const assigned = input.assignments.length > 0 ? await assignCreatives(inner, { account, items: input.assignments }) : [];
    if (input.validation_mode === "strict") assertFlawless(outcomes, assigned, input.creatives.map((item) => item.creative_id));
    return present(outcomes, assigned);
  };
  if (!input.dry_run) return { results: await sync(ctx), isDryRun: false };
  try {
    return await withSavepoint(ctx.db, async (db): Promise<never> => {
      throw new DryRunEnd(await sync({ ...ctx, db }));
    });
  } catch (end) {
    if (end instanceof DryRunEnd) return { results: end.results, isDryRun: true };
    throw end;
  }
}

/** Throws the first mistake, with all of them in its details: by their places, because errors repeat no ids. */
function assertFlawless(outcomes: CreativeOutcome[], assigned: AssignmentOutcome[], requestedIds: string[]): void {
  const failed = outcomes.filter(({ errors }) => errors.length > 0);
  const unassigned = assigned.flatMap((outcome, index) => (outcome.error ? [{ ...outcome, error: outcome.error, index }] : []));
  const [creative] = failed;
  const [mistake] = creative?.errors ?? [];
  const [assignment] = unassigned;
  const first = creative && mistake ? { error: mistake, field: `creatives[${requestedIds.indexOf(creative.creativeId)}]` } : assignment ? { error: assignment.error, field: `assignments[${assignment.index}]` } : undefined;
  if (!first) return;
  const { code, userMessage, field, suggestion } = first.error;
  throw new AppError(code, `${userMessage} Nothing was changed.`, {
    field: field === undefined ? first.field : `${first.field}.${field}`,
    suggestion: suggestion ?? "Correct it, or send validation_mode lenient to keep what is valid.",
    details: {
      ...(failed.length > 0 ? { creatives: failed.map((outcome) => ({ field: `creatives[${requestedIds.indexOf(outcome.creativeId)}]`, errors: outcome.errors.map(toWireError) })) } : {}),
      ...(unassigned.length > 0 ? { assignments: unassigned.map((outcome) => ({ field: `assignments[${outcome.index}]`, errors: [toWireError(outcome.error)] })) } : {}),
    },
  });
}

function present(outcomes: CreativeOutcome[], assigned: AssignmentOutcome[]): Record<string, unknown>[] {
  // An assignment may name a creative that is in the library and not in this sync.
  const others = [...new Set(assigned.map(({ creativeId }) => creativeId))].filter((id) => !outcomes.some((outcome) => outcome.creativeId === id));
  return [...outcomes.map((outcome) => ({ ...presentOutcome(outcome), ...presentAssignments(outcome.creativeId, assigned) })), ...others.map((creativeId) => presentOther(creativeId, assigned))];
}

function presentOutcome({ creativeId, action, row, changes, errors, warnings }: CreativeOutcome): Record<string, unknown> {
  return {
    creative_id: creativeId,
    action,
    ...(row === null || action === "deleted" ? {} : { status: row.status, platform_id: platformId(row) }),
    ...(action === "updated" ? { changes } : {}),
    ...(errors.length > 0 ? { errors: errors.map(toWireError) } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

function presentOther(creativeId: string, assigned: AssignmentOutcome[]): Record<string, unknown> {
  const unknown = assigned.find((outcome) => outcome.creativeId === creativeId && outcome.error?.code === "CREATIVE_NOT_FOUND");
  return { creative_id: creativeId, ...(unknown?.error ? { action: "failed", errors: [toWireError(unknown.error)] } : { action: "unchanged" }), ...presentAssignments(creativeId, assigned) };
}

function presentAssignments(creativeId: string, assigned: AssignmentOutcome[]): Record<string, unknown> {
  const own = assigned.filter((outcome) => outcome.creativeId === creativeId);
  if (own.length === 0) return {};
  const failed = own.flatMap(({ packageId, error }) => (error && /^[a-zA-Z0-9_-]+$/.test(packageId) ? [[packageId, error.userMessage] as const] : []));
  return { assigned_to: own.filter(({ error }) => error === null).map(({ packageId }) => packageId), ...(failed.length > 0 ? { assignment_errors: Object.fromEntries(failed) } : {}) };
}
