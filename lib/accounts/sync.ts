import { and, eq } from "drizzle-orm";
import { z } from "zod";
import { canonicalJson } from "../adcp/canonical-json";
import { type BuyerSession } from "../adcp/tool";
import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { decryptSecret, encryptSecret } from "../crypto";
import { AppError } from "../errors";
import { newId } from "../ids";
import { type AccountRow, presentAccount } from "./present";
import { accounts } from "./schema";
import { accountName, type NaturalKey, ownAccounts } from "./service";

const businessEntity = z.looseObject({ bank: z.record(z.string(), z.unknown()).optional() });
const accountItem = z.looseObject({
  brand: z.looseObject({ domain: z.string(), brand_id: z.string().optional() }),
  operator: z.string(),
  billing: z.string(),
  billing_entity: businessEntity.optional(),
  payment_terms: z.string().optional(),
  sandbox: z.boolean().optional(),
});
type AccountItem = z.infer<typeof accountItem>;

export type SyncedAccount = { item: AccountItem; row: AccountRow; action: "created" | "updated" | "unchanged"; warnings: string[] };
export type AccountSync = { synced: SyncedAccount[]; closed: AccountRow[] };

/**
 * Opens the buyer's accounts and keeps their terms as the buyer declares them: one row per brand, operator and sandbox. An account that the
 * publisher has stopped stays so. In a dry run nothing is written.
 */
export async function syncAccounts(ctx: Ctx, session: BuyerSession, input: { items: readonly unknown[]; isDryRun: boolean; isDeletingMissing: boolean }): Promise<AccountSync> {
  const items = input.items.map((item) => accountItem.parse(item));
  const rows = await ctx.db.select().from(accounts).where(ownAccounts(ctx, session)).for("update");
  const known = new Map(rows.map((row) => [keyText(row), row]));
  const synced: SyncedAccount[] = [];
  for (const item of items) {
    const key = keyOf(session, item);
    const result = await syncOne(ctx, session, { key, item, current: known.get(keyText(key)), isDryRun: input.isDryRun });
    known.set(keyText(key), result.row);
    synced.push({ ...result, item, warnings: session.isSandbox && item.sandbox === false ? ["All your accounts here are sandbox accounts."] : [] });
  }
  const kept = new Set(synced.map(({ row }) => row.id));
  const closed = input.isDeletingMissing ? await closeAccounts(ctx, rows.filter((row) => !kept.has(row.id) && row.status === "active"), input.isDryRun) : [];
  return { synced, closed };
}

type One = { key: NaturalKey; item: AccountItem; current: AccountRow | undefined; isDryRun: boolean };

async function syncOne(ctx: Ctx, session: BuyerSession, { key, item, current, isDryRun }: One): Promise<Pick<SyncedAccount, "row" | "action">> {
  const id = current?.id ?? newId(ctx.now.getTime());
  const terms = termsOf(ctx, id, item, current);
  if (!current) {
    const fresh: AccountRow = { tenantId: ctx.tenantId, id, principalId: session.principalId, ...key, name: accountName(key), status: "active", statusReason: null, ...terms, isGoverned: false, createdAt: ctx.now, updatedAt: ctx.now, archivedAt: null };
    if (!isDryRun) await insertAccount(ctx, fresh);
    return { row: fresh, action: "created" };
  }
  // Only what the buyer closed can the buyer open again.
  const status = current.status === "closed" && current.details.closed_by === "buyer" ? "active" : current.status;
  const { closed_by: _closedBy, ...details } = terms.details;
  const next: AccountRow = { ...current, ...terms, details: status === current.status ? terms.details : details, status, statusReason: status === current.status ? current.statusReason : null, updatedAt: ctx.now };
  if (status === current.status && current.billing === next.billing && current.paymentTerms === next.paymentTerms && canonicalJson(current.details) === canonicalJson(next.details)) return { row: current, action: "unchanged" };
  if (!isDryRun) {
    await ctx.db.update(accounts).set({ status, statusReason: next.statusReason, billing: next.billing, paymentTerms: next.paymentTerms, details: next.details, updatedAt: ctx.now }).where(and(eq(accounts.tenantId, ctx.tenantId), eq(accounts.id, id)));
    await recordAudit(ctx, { action: "account.updated", objectKind: "account", objectId: id, summary: `The terms of the account ${next.name} changed.`, before: { status: current.status, billing: current.billing, paymentTerms: current.paymentTerms }, after: { status, billing: next.billing, paymentTerms: next.paymentTerms } });
  }
  return { row: next, action: "updated" };
}

async function insertAccount(ctx: Ctx, row: AccountRow): Promise<void> {
  const inserted = await ctx.db.insert(accounts).values(row).onConflictDoNothing().returning({ id: accounts.id });
  if (inserted.length === 0) throw new AppError("CONFLICT", "Another request has just opened one of these accounts.", { suggestion: "Send the request again.", retryAfterSeconds: 1 });
  await recordAudit(ctx, { action: "account.created", objectKind: "account", objectId: row.id, summary: `The account ${row.name} was opened.` });
}

/** What is left out stays as it is. Bank details are kept encrypted and shown to nobody. */
function termsOf(ctx: Ctx, id: string, item: AccountItem, current: AccountRow | undefined): Pick<AccountRow, "billing" | "paymentTerms" | "details"> {
  const details: Record<string, unknown> = { ...current?.details };
  if (item.billing_entity) {
    const { bank, ...entity } = item.billing_entity;
    details.billing_entity = entity;
    if (bank) details.bank_encrypted = sealBank(ctx, id, canonicalJson(bank), details.bank_encrypted);
  }
  return { billing: item.billing, paymentTerms: item.payment_terms ?? current?.paymentTerms ?? null, details };
}

/** The stored text again when it says the same: every encryption looks different. */
function sealBank(ctx: Ctx, id: string, bank: string, stored: unknown): string {
  const context = `accounts:${ctx.tenantId}:${id}:bank`;
  return typeof stored === "string" && decryptSecret(stored, context) === bank ? stored : encryptSecret(bank, context);
}

async function closeAccounts(ctx: Ctx, rows: AccountRow[], isDryRun: boolean): Promise<AccountRow[]> {
  const closed = rows.map((row): AccountRow => ({ ...row, status: "closed", statusReason: null, details: { ...row.details, closed_by: "buyer" } }));
  if (isDryRun || closed.length === 0) return closed;
  for (const row of closed) {
    await ctx.db.update(accounts).set({ status: "closed", statusReason: null, details: row.details, updatedAt: ctx.now }).where(and(eq(accounts.tenantId, ctx.tenantId), eq(accounts.id, row.id)));
    await recordAudit(ctx, { action: "account.closed", objectKind: "account", objectId: row.id, summary: `The buyer closed the account ${row.name}.` });
  }
  return closed;
}

/** One result of sync_accounts. */
export function presentSynced({ item, row, action, warnings }: SyncedAccount, isDryRun: boolean): Record<string, unknown> {
  const { account_id: accountId, advertiser: _advertiser, ...account } = presentAccount(row);
  return {
    // A dry run opens nothing, so there is no id yet.
    ...(isDryRun && action === "created" ? {} : { account_id: accountId }),
    ...account, brand: item.brand, action, ...(warnings.length > 0 ? { warnings } : {}),
  };
}

function keyOf(session: BuyerSession, { brand, operator, sandbox }: AccountItem): NaturalKey {
  return { brandDomain: brand.domain, brandId: brand.brand_id ?? null, operator, isSandbox: session.isSandbox || sandbox === true };
}

function keyText({ brandDomain, brandId, operator, isSandbox }: NaturalKey): string {
  return JSON.stringify([brandDomain, brandId, operator, isSandbox]);
}
