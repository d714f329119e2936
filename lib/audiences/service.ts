import { and, asc, eq, inArray, notInArray, sql } from "drizzle-orm";
import { z } from "zod";
import { type AccountRow } from "../accounts/present";
import { toWireError } from "../adcp/wire-error";
import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { sha256 } from "../crypto";
import { AppError, invariant } from "../errors";
import { newId, toWireId } from "../ids";
import { audienceMembers, audiences } from "./schema";

const member = z.looseObject({ external_id: z.string(), hashed_email: z.string().optional(), hashed_phone: z.string().optional(), uids: z.array(z.object({ type: z.string(), value: z.string() })).optional() });
type Member = z.infer<typeof member>;
const item = z.looseObject({
  audience_id: z.string(), name: z.string().optional(), description: z.string().optional(), audience_type: z.enum(["crm", "suppression", "lookalike_seed"]).optional(),
  tags: z.array(z.string()).optional(), add: z.array(member).optional(), remove: z.array(member).optional(), delete: z.boolean().optional(), consent_basis: z.string().optional(),
});
type Item = z.infer<typeof item>;
const syncRequest = z.looseObject({ audiences: z.array(item).optional(), delete_missing: z.boolean().default(false) });

const AUDIENCE_ID_LENGTH_MAX = 255;
const NAME_LENGTH_MAX = 500;
/** Rows of one insert. */
const MEMBERS_AT_ONCE = 1_000;

type AudienceRow = typeof audiences.$inferSelect;
type Result = Record<string, unknown>;

/**
 * Makes, changes and deletes this account's audiences; without any named, tells of all there are. No ad server matches members yet, so
 * that audiences are `processing`, and no order can be targeted by one. An audience that cannot be taken fails by itself.
 */
export async function syncAudiences(ctx: Ctx, { account, request }: { account: AccountRow; request: Record<string, unknown> }): Promise<Result[]> {
  const { audiences: asked, delete_missing: isDeletingMissing } = syncRequest.parse(request);
  if (!asked) return (await listAudiences(ctx, account)).map(({ row, count }) => present(row, "unchanged", count, count));
  const results: Result[] = [];
  for (const [index, wanted] of asked.entries()) results.push(await syncOne(ctx, account, wanted, index, asked));
  if (isDeletingMissing) {
    const others = await ctx.db.select().from(audiences).where(and(ownIn(ctx, account), notInArray(audiences.audienceId, asked.map(({ audience_id: id }) => id)))).for("update");
    for (const row of others) results.push(await remove(ctx, row));
  }
  return results;
}

async function syncOne(ctx: Ctx, account: AccountRow, wanted: Item, index: number, all: Item[]): Promise<Result> {
  const problem = findProblem(wanted, index, all);
  if (problem) return { audience_id: wanted.audience_id, action: "failed", errors: [toWireError(problem)] };
  const [existing] = await ctx.db.select().from(audiences).where(and(ownIn(ctx, account), eq(audiences.audienceId, wanted.audience_id))).for("update");
  if (wanted.delete) return existing ? remove(ctx, existing) : { audience_id: wanted.audience_id, action: "failed", errors: [toWireError(new AppError("REFERENCE_NOT_FOUND", "This account has no such audience.", { field: `audiences[${index}].audience_id` }))] };
  const row = await write(ctx, account, wanted, existing);
  const changed = (await addMembers(ctx, row.id, wanted.add ?? [])) + (await removeMembers(ctx, row.id, wanted.remove ?? []));
  const total = await ctx.db.$count(audienceMembers, and(eq(audienceMembers.tenantId, ctx.tenantId), eq(audienceMembers.audienceId, row.id)));
  const action = !existing ? "created" : changed > 0 || row.updatedAt.getTime() !== existing.updatedAt.getTime() ? "updated" : "unchanged";
  if (action !== "unchanged") {
    await recordAudit(ctx, { action: `audience.${action}`, objectKind: "audience", objectId: row.id, summary: `The audience “${row.name}” was ${action === "created" ? "added" : "changed"}; it has ${total} member${total === 1 ? "" : "s"}.` });
  }
  return present(row, action, wanted.add?.length ?? 0, total);
}

function findProblem({ audience_id: id, name, add = [] }: Item, index: number, all: Item[]): AppError | undefined {
  const path = `audiences[${index}]`;
  if (id === "" || id.length > AUDIENCE_ID_LENGTH_MAX) return new AppError("VALIDATION_ERROR", `An audience_id has 1 to ${AUDIENCE_ID_LENGTH_MAX} characters.`, { field: `${path}.audience_id` });
  if (all.findIndex((other) => other.audience_id === id) !== index) return new AppError("VALIDATION_ERROR", "This audience_id appears twice in the request.", { field: `${path}.audience_id` });
  if (name !== undefined && (name.trim() === "" || name.length > NAME_LENGTH_MAX)) return new AppError("VALIDATION_ERROR", `A name has 1 to ${NAME_LENGTH_MAX} characters.`, { field: `${path}.name` });
  // An address or a number as it is would be stored as it is.
  const plain = add.findIndex(({ external_id: own }) => own.includes("@") || /^\+?\d[\d\s()-]{6,}$/.test(own));
  return plain < 0 ? undefined : new AppError("VALIDATION_ERROR", "This external_id looks like an e-mail address or a telephone number.", { field: `${path}.add[${plain}].external_id`, suggestion: "Send your own id of the person; addresses and numbers go hashed into hashed_email and hashed_phone." });
}

async function write(ctx: Ctx, account: AccountRow, wanted: Item, existing: AudienceRow | undefined): Promise<AudienceRow> {
  const fields = {
    name: wanted.name ?? existing?.name ?? wanted.audience_id, description: wanted.description ?? existing?.description ?? null, audienceType: wanted.audience_type ?? existing?.audienceType ?? ("crm" as const),
    tags: wanted.tags ?? existing?.tags ?? [], consentBasis: wanted.consent_basis ?? existing?.consentBasis ?? null,
  };
  if (!existing) {
    const [made] = await ctx.db.insert(audiences).values({ ...fields, tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), principalId: account.principalId, accountId: account.id, audienceId: wanted.audience_id, lastSyncedAt: ctx.now, createdAt: ctx.now, updatedAt: ctx.now }).returning();
    invariant(made, "an inserted audience is returned");
    return made;
  }
  const isChanged = (["name", "description", "audienceType", "consentBasis"] as const).some((field) => fields[field] !== existing[field]) || fields.tags.join("\n") !== existing.tags.join("\n");
  const [row] = await ctx.db.update(audiences).set({ ...fields, lastSyncedAt: ctx.now, ...(isChanged ? { updatedAt: ctx.now } : {}) }).where(and(eq(audiences.tenantId, ctx.tenantId), eq(audiences.id, existing.id))).returning();
  invariant(row, "a locked audience is updated");
  return row;
}

const hashOf = ({ external_id: id }: Member) => sha256(id);

/** The last word on a person counts. Answers how many rows were written. */
async function addMembers(ctx: Ctx, audienceId: string, members: Member[]): Promise<number> {
  const rows = [...new Map(members.map((one) => [one.external_id, one])).values()].map((one) => ({
    tenantId: ctx.tenantId, audienceId, memberHash: hashOf(one), createdAt: ctx.now,
    identifiers: { ...(one.hashed_email ? { hashed_email: one.hashed_email } : {}), ...(one.hashed_phone ? { hashed_phone: one.hashed_phone } : {}), ...(one.uids ? { uids: one.uids } : {}) },
  }));
  for (let from = 0; from < rows.length; from += MEMBERS_AT_ONCE) {
    await ctx.db.insert(audienceMembers).values(rows.slice(from, from + MEMBERS_AT_ONCE))
      .onConflictDoUpdate({ target: [audienceMembers.tenantId, audienceMembers.audienceId, audienceMembers.memberHash], set: { identifiers: sql`excluded.identifiers` } });
  }
  return rows.length;
}

/** Removal comes after addition: whoever is in both lists is out. */
async function removeMembers(ctx: Ctx, audienceId: string, members: Member[]): Promise<number> {
  if (members.length === 0) return 0;
  const gone = await ctx.db.delete(audienceMembers).where(and(eq(audienceMembers.tenantId, ctx.tenantId), eq(audienceMembers.audienceId, audienceId), inArray(audienceMembers.memberHash, members.map(hashOf)))).returning({ audienceId: audienceMembers.audienceId });
  return gone.length;
}

/** Gone with its people: nothing of them is kept. */
async function remove(ctx: Ctx, row: AudienceRow): Promise<Result> {
  await ctx.db.delete(audienceMembers).where(and(eq(audienceMembers.tenantId, ctx.tenantId), eq(audienceMembers.audienceId, row.id)));
  await ctx.db.delete(audiences).where(and(eq(audiences.tenantId, ctx.tenantId), eq(audiences.id, row.id)));
  await recordAudit(ctx, { action: "audience.deleted", objectKind: "audience", objectId: row.id, summary: `The audience “${row.name}” and its members were deleted.` });
  return { audience_id: row.audienceId, name: row.name, action: "deleted" };
}

async function listAudiences(ctx: Ctx, account: AccountRow): Promise<{ row: AudienceRow; count: number }[]> {
  const count = sql<number>`(select count(*) from audience_members m where m.tenant_id = ${audiences.tenantId} and m.audience_id = ${audiences.id})`.mapWith(Number);
  return ctx.db.select({ row: audiences, count }).from(audiences).where(ownIn(ctx, account)).orderBy(asc(audiences.createdAt), asc(audiences.id));
}

function ownIn(ctx: Ctx, account: AccountRow) {
  return and(eq(audiences.tenantId, ctx.tenantId), eq(audiences.accountId, account.id));
}

function present(row: AudienceRow, action: string, uploaded: number, total: number): Result {
  return { audience_id: row.audienceId, name: row.name, seller_id: toWireId("audience", row.id), action, status: "processing", uploaded_count: uploaded, total_uploaded_count: total, last_synced_at: row.lastSyncedAt.toISOString() };
}
