import { and, asc, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { type BuyerSession } from "../adcp/tool";
import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { compiled, type Tx } from "../db/client";
import { AppError, invariant } from "../errors";
import { fromWireId, newId } from "../ids";
import { type AccountRow } from "./present";
import { accounts } from "./schema";

export { type AccountRow } from "./present";

const brandRef = z.looseObject({ domain: z.string(), brand_id: z.string().optional() });
const accountRef = z.union([
  z.strictObject({ account_id: z.string() }),
  z.strictObject({ brand: brandRef, operator: z.string(), sandbox: z.boolean().optional() }),
]);

export type NaturalKey = { brandDomain: string; brandId: string | null; operator: string; isSandbox: boolean };

/** Where a sandbox buyer works who names no account. */
const SANDBOX_DEFAULT: NaturalKey = { brandDomain: "sandbox.example", brandId: null, operator: "sandbox.example", isSandbox: true };

/** Found accounts by transaction: the door needs the account for the idempotency scope, and the tool behind it once more. */
const found = new WeakMap<Tx, Map<string, AccountRow>>();

/**
 * The account that a request names, always one of this buyer's own. Accounts of sandbox buyers come into being on first use.
 * Without a reference: the only account, or a sandbox buyer's oldest one. Unknown and foreign references answer alike.
 */
export async function resolveAccount(ctx: Ctx, session: BuyerSession, ref: unknown): Promise<AccountRow> {
  const key = `${session.principalId} ${JSON.stringify(ref)}`;
  const known = found.get(ctx.db) ?? new Map<string, AccountRow>();
  const account = known.get(key) ?? (await findAccount(ctx, session, ref));
  found.set(ctx.db, known.set(key, account));
  return account;
}

/** The same for a read, which opens nothing: a sandbox buyer's account that nobody has used yet is empty, and stays unopened. */
export async function findAccountToRead(ctx: Ctx, session: BuyerSession, ref: unknown): Promise<AccountRow> {
  return findAccount(ctx, session, ref, unopened);
}

const at = sql.placeholder;
const own = and(eq(accounts.tenantId, at("tenantId")), eq(accounts.principalId, at("principalId")), isNull(accounts.archivedAt));
const selectFirstTwo = compiled((db) => db.select().from(accounts).where(own).orderBy(asc(accounts.id)).limit(2));
const selectById = compiled((db) => db.select().from(accounts).where(and(own, eq(accounts.id, at("id")))));
const selectByNaturalKey = compiled((db) => db.select().from(accounts)
  .where(and(own, eq(accounts.brandDomain, at("brandDomain")), eq(accounts.operator, at("operator")), eq(accounts.isSandbox, at("isSandbox")))).orderBy(asc(accounts.id)));

type Open = (ctx: Ctx, session: BuyerSession, key: NaturalKey) => Promise<AccountRow>;

async function findAccount(ctx: Ctx, session: BuyerSession, ref: unknown, open: Open = openAccount): Promise<AccountRow> {
  if (ref === undefined || ref === null) return findDefaultAccount(ctx, session, open);
  const parsed = accountRef.safeParse(ref);
  if (!parsed.success) throw new AppError("INVALID_REQUEST", "The account is named by account_id, or by brand and operator.", { field: "account" });
  if ("account_id" in parsed.data) return findById(ctx, session, parsed.data.account_id);
  const { brand, operator, sandbox } = parsed.data;
  return findByNaturalKey(ctx, session, { brandDomain: brand.domain, brandId: brand.brand_id ?? null, operator, isSandbox: session.isSandbox || sandbox === true }, open);
}

async function findDefaultAccount(ctx: Ctx, session: BuyerSession, open: Open): Promise<AccountRow> {
  const [first, second] = await selectFirstTwo(ctx.db, { tenantId: ctx.tenantId, principalId: session.principalId });
  if (first && (!second || session.isSandbox)) return first;
  if (first) throw new AppError("ACCOUNT_AMBIGUOUS", "You have several accounts here: name the one you mean.", { field: "account" });
  if (session.isSandbox) return open(ctx, session, SANDBOX_DEFAULT);
  throw new AppError("ACCOUNT_NOT_FOUND", "You have no account here yet.", { field: "account", suggestion: "Open one with sync_accounts." });
}

async function findById(ctx: Ctx, session: BuyerSession, accountId: string): Promise<AccountRow> {
  const id = fromWireId("account", accountId);
  const [account] = id === undefined ? [] : await selectById(ctx.db, { tenantId: ctx.tenantId, principalId: session.principalId, id });
  if (!account) throw accountNotFound();
  return account;
}

async function findByNaturalKey(ctx: Ctx, session: BuyerSession, key: NaturalKey, open: Open): Promise<AccountRow> {
  const rows = await selectByNaturalKey(ctx.db, { tenantId: ctx.tenantId, principalId: session.principalId, ...key });
  const exact = rows.find((row) => row.brandId === key.brandId);
  if (exact) return exact;
  // A key without brand_id also means the only one of that house's brands.
  if (key.brandId === null && rows.length > 1) throw new AppError("ACCOUNT_AMBIGUOUS", "This brand domain has several accounts here: name the brand_id or the account_id.", { field: "account" });
  const [only] = rows;
  if (key.brandId === null && only) return only;
  if (session.isSandbox) return open(ctx, session, key);
  throw accountNotFound();
}

function unopened(ctx: Ctx, session: BuyerSession, key: NaturalKey): Promise<AccountRow> {
  return Promise.resolve({
    tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), principalId: session.principalId, ...key, name: accountName(key), status: "active", statusReason: null, billing: null, paymentTerms: null, details: {}, isGoverned: false,
    createdAt: ctx.now, updatedAt: ctx.now, archivedAt: null,
  });
}

/** A new account in the default terms. Two requests that open the same one at once get the same row. */
async function openAccount(ctx: Ctx, session: BuyerSession, key: NaturalKey): Promise<AccountRow> {
  const [opened] = await ctx.db.insert(accounts)
    .values({ tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), principalId: session.principalId, ...key, name: accountName(key), createdAt: ctx.now, updatedAt: ctx.now })
    .onConflictDoNothing().returning();
  if (opened) {
    await recordAudit(ctx, { action: "account.created", objectKind: "account", objectId: opened.id, summary: `The account ${opened.name} was opened on first use.` });
    return opened;
  }
  const [existing] = await ctx.db.select().from(accounts).where(and(
    ownAccounts(ctx, session), eq(accounts.brandDomain, key.brandDomain), key.brandId === null ? isNull(accounts.brandId) : eq(accounts.brandId, key.brandId),
    eq(accounts.operator, key.operator), eq(accounts.isSandbox, key.isSandbox),
  ));
  invariant(existing, "the account exists after a conflict on its natural key");
  return existing;
}

export function ownAccounts(ctx: Ctx, session: BuyerSession) {
  return and(eq(accounts.tenantId, ctx.tenantId), eq(accounts.principalId, session.principalId), isNull(accounts.archivedAt));
}

export function accountName({ brandDomain, brandId, operator }: NaturalKey): string {
  const brand = brandId === null ? brandDomain : `${brandId} (${brandDomain})`;
  return operator === brandDomain ? brand : `${brand} c/o ${operator}`;
}

function accountNotFound(): AppError {
  return new AppError("ACCOUNT_NOT_FOUND", "You have no such account here.", { field: "account" });
}
