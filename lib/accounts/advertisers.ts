import { and, asc, count, desc, eq, exists, ilike, inArray, isNull, not, or, sql } from "drizzle-orm";
import { z } from "zod";
import { adapterConfigs, adServerInventory } from "../ad-servers/schema";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { principals } from "../buyers/schema";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { retryBlockedForAccount } from "../fulfilment/blocked";
import { announceChange } from "../live";
import { changedSinceOpened } from "../version-of";
import { containsPattern, type PageQuery, pageWindow } from "../paging";
import { accountAdvertisers, accounts } from "./schema";

const SORT_COLUMNS = { name: accounts.name, buyer: principals.name, created: accounts.createdAt };

export type AccountListInput = PageQuery & {
  search: string;
  /** unmapped: only accounts that lack an advertiser in a connection that their orders can go to. */
  show: "all" | "unmapped";
  sort: keyof typeof SORT_COLUMNS;
  direction: "asc" | "desc";
};

/** Sandbox orders run on simulated connections, real ones on live connections: each account has advertisers in its own world only. */
const worldOf = (account: { isSandbox: boolean }) => (account.isSandbox ? "simulated" : "live");
const isOfItsWorld = eq(adapterConfigs.mode, sql`case when ${accounts.isSandbox} then 'simulated' else 'live' end`);

/** Accounts with the advertiser that stands for each of them per connection, and the connections there are. */
export async function listAccountAdvertisers(ctx: Ctx, input: AccountListInput) {
  requirePermission(ctx.actor, "account.read");
  const lacksAdvertiser = exists(ctx.db.select({ one: sql`1` }).from(adapterConfigs).where(and(
    eq(adapterConfigs.tenantId, ctx.tenantId), isNull(adapterConfigs.archivedAt), isOfItsWorld,
    not(exists(ctx.db.select({ one: sql`1` }).from(accountAdvertisers).where(and(
      eq(accountAdvertisers.tenantId, ctx.tenantId), eq(accountAdvertisers.accountId, accounts.id), eq(accountAdvertisers.adapterConfigId, adapterConfigs.id),
    )))),
  )));
  const pattern = containsPattern(input.search);
  const matches = and(
    eq(accounts.tenantId, ctx.tenantId), isNull(accounts.archivedAt),
    input.search === "" ? undefined : or(ilike(accounts.name, pattern), ilike(accounts.brandDomain, pattern), ilike(accounts.operator, pattern), ilike(principals.name, pattern)),
  );
  const { limit, offset } = pageWindow(input);
  const order = input.direction === "desc" ? desc : asc;
  const ofPrincipal = and(eq(principals.tenantId, accounts.tenantId), eq(principals.id, accounts.principalId));
  const [found, [counts = { all: 0, unmapped: 0 }], connections] = await Promise.all([
    ctx.db.select({
      id: accounts.id, name: accounts.name, brandDomain: accounts.brandDomain, operator: accounts.operator, isSandbox: accounts.isSandbox, status: accounts.status, statusReason: accounts.statusReason,
      createdAt: accounts.createdAt, principalName: principals.name,
    }).from(accounts).innerJoin(principals, ofPrincipal).where(and(matches, input.show === "unmapped" ? lacksAdvertiser : undefined)).orderBy(order(SORT_COLUMNS[input.sort]), order(accounts.id)).limit(limit).offset(offset),
    ctx.db.select({ all: count(), unmapped: sql<number>`count(*) filter (where ${lacksAdvertiser})::int` }).from(accounts).innerJoin(principals, ofPrincipal).where(matches),
    ctx.db.select({ id: adapterConfigs.id, name: adapterConfigs.name, mode: adapterConfigs.mode, kind: adapterConfigs.kind }).from(adapterConfigs)
      .where(and(eq(adapterConfigs.tenantId, ctx.tenantId), isNull(adapterConfigs.archivedAt))).orderBy(asc(adapterConfigs.name), asc(adapterConfigs.id)),
  ]);
  const mappings = await loadMappings(ctx, found.map((account) => account.id));
  const rows = found.map((account) => ({
    ...account,
    advertisers: connections.filter((connection) => connection.mode === worldOf(account)).map((connection) => ({
      connection,
      advertiser: mappings.find((mapping) => mapping.accountId === account.id && mapping.adapterConfigId === connection.id) ?? null,
    })),
  }));
  return { rows, total: counts[input.show], counts, connections };
}

export type AccountRow = Awaited<ReturnType<typeof listAccountAdvertisers>>["rows"][number];

async function loadMappings(ctx: Ctx, accountIds: string[]) {
  if (accountIds.length === 0) return [];
  return ctx.db.select({
    accountId: accountAdvertisers.accountId, adapterConfigId: accountAdvertisers.adapterConfigId, externalAdvertiserId: accountAdvertisers.externalAdvertiserId,
    name: accountAdvertisers.advertiserName, updatedAt: accountAdvertisers.updatedAt, isRetired: sql<boolean>`${adServerInventory.retiredAt} is not null`,
  }).from(accountAdvertisers)
    .leftJoin(adServerInventory, and(
      eq(adServerInventory.tenantId, accountAdvertisers.tenantId), eq(adServerInventory.adapterConfigId, accountAdvertisers.adapterConfigId),
      eq(adServerInventory.kind, "advertiser"), eq(adServerInventory.externalId, accountAdvertisers.externalAdvertiserId),
    ))
    .where(and(eq(accountAdvertisers.tenantId, ctx.tenantId), inArray(accountAdvertisers.accountId, accountIds)));
}

export const mapAdvertiserInput = z.strictObject({ accountId: z.uuid(), adapterConfigId: z.uuid(), externalAdvertiserId: z.string().trim().min(1, "Choose an advertiser.").max(100), seen: z.string().nullable() });

/**
 * Says which advertiser stands for an account in a connection, and lets orders that waited for it go on.
 * The advertiser must be known from the inventory sync. `seen`: the advertiser's id as it stood, null for none. Throws ACCOUNT_NOT_FOUND,
 * REFERENCE_NOT_FOUND, VALIDATION_ERROR, CONFLICT when somebody else has chosen since.
 */
export async function mapAdvertiser(ctx: Ctx, input: z.infer<typeof mapAdvertiserInput>): Promise<{ advertiserName: string; retried: number }> {
  requirePermission(ctx.actor, "account.map_advertiser");
  const { account, connection } = await findPair(ctx, input);
  if (connection.mode !== worldOf(account)) {
    throw new AppError("VALIDATION_ERROR", account.isSandbox ? "A sandbox account's orders go to simulated connections only." : "A real account's orders go to live connections only.", { field: "adapterConfigId" });
  }
  const [advertiser] = await ctx.db.select({ name: adServerInventory.name }).from(adServerInventory).where(and(
    eq(adServerInventory.tenantId, ctx.tenantId), eq(adServerInventory.adapterConfigId, connection.id), eq(adServerInventory.kind, "advertiser"),
    eq(adServerInventory.externalId, input.externalAdvertiserId), isNull(adServerInventory.retiredAt),
  ));
  if (!advertiser) throw new AppError("VALIDATION_ERROR", "This advertiser is not among those of the last inventory sync. If it is new, sync the inventory first.", { field: "externalAdvertiserId" });
  const { seen, ...mapping } = input;
  const before = await findMapping(ctx, input);
  if ((before?.advertiserId ?? null) !== seen) throw changedSinceOpened("The advertiser of this account");
  await ctx.db.insert(accountAdvertisers)
    .values({ tenantId: ctx.tenantId, ...mapping, advertiserName: advertiser.name, createdAt: ctx.now, updatedAt: ctx.now })
    .onConflictDoUpdate({
      target: [accountAdvertisers.tenantId, accountAdvertisers.accountId, accountAdvertisers.adapterConfigId],
      set: { externalAdvertiserId: input.externalAdvertiserId, advertiserName: advertiser.name, updatedAt: ctx.now },
    });
  await recordAudit(ctx, {
    action: "account.advertiser_mapped", objectKind: "account", objectId: account.id, summary: `Account “${account.name}” is advertiser “${advertiser.name}” in ${connection.name}`,
    before, after: { connection: connection.name, advertiserId: input.externalAdvertiserId, advertiser: advertiser.name },
  });
  const retried = await retryBlockedForAccount(ctx, { accountId: account.id, adapterConfigId: connection.id });
  announceChange(ctx, "connection", connection.id);
  return { advertiserName: advertiser.name, retried };
}

/** Forgets a mapping. Orders that were created keep their advertiser; the next new order of the account asks again. */
export async function unmapAdvertiser(ctx: Ctx, input: { accountId: string; adapterConfigId: string; seen: string }): Promise<void> {
  requirePermission(ctx.actor, "account.map_advertiser");
  const { account, connection } = await findPair(ctx, input);
  const before = await findMapping(ctx, input);
  if (!before) throw new AppError("CONFLICT", "No advertiser is chosen here any more.");
  if (before.advertiserId !== input.seen) throw changedSinceOpened("The advertiser of this account");
  await ctx.db.delete(accountAdvertisers).where(ofPair(ctx, input));
  await recordAudit(ctx, { action: "account.advertiser_unmapped", objectKind: "account", objectId: account.id, summary: `Account “${account.name}” has no advertiser in ${connection.name} any more`, before });
  announceChange(ctx, "connection", connection.id);
}

async function findPair(ctx: Ctx, input: { accountId: string; adapterConfigId: string }) {
  const [account] = await ctx.db.select({ id: accounts.id, name: accounts.name, isSandbox: accounts.isSandbox }).from(accounts)
    .where(and(eq(accounts.tenantId, ctx.tenantId), eq(accounts.id, input.accountId), isNull(accounts.archivedAt))).for("update");
  if (!account) throw new AppError("ACCOUNT_NOT_FOUND", "This account does not exist.");
  const [connection] = await ctx.db.select({ id: adapterConfigs.id, name: adapterConfigs.name, mode: adapterConfigs.mode }).from(adapterConfigs)
    .where(and(eq(adapterConfigs.tenantId, ctx.tenantId), eq(adapterConfigs.id, input.adapterConfigId), isNull(adapterConfigs.archivedAt)));
  if (!connection) throw new AppError("REFERENCE_NOT_FOUND", "This connection does not exist.");
  return { account, connection };
}

async function findMapping(ctx: Ctx, input: { accountId: string; adapterConfigId: string }) {
  const [mapping] = await ctx.db.select({ advertiserId: accountAdvertisers.externalAdvertiserId, advertiser: accountAdvertisers.advertiserName }).from(accountAdvertisers).where(ofPair(ctx, input));
  return mapping;
}

function ofPair(ctx: Ctx, input: { accountId: string; adapterConfigId: string }) {
  return and(eq(accountAdvertisers.tenantId, ctx.tenantId), eq(accountAdvertisers.accountId, input.accountId), eq(accountAdvertisers.adapterConfigId, input.adapterConfigId));
}
