import { and, asc, eq, inArray, isNull, notInArray } from "drizzle-orm";
import { z } from "zod";
import { assertAccountAllows } from "../accounts/gates";
import { type AccountRow } from "../accounts/present";
import { accounts } from "../accounts/schema";
import { resolveAccount } from "../accounts/service";
import { type BuyerSession } from "../adcp/tool";
import { toWireError } from "../adcp/wire-error";
import { recordAudit } from "../audit/service";
import { type Ctx } from "../context";
import { encryptSecret } from "../crypto";
import { AppError } from "../errors";
import { groupBy } from "../group-by";
import { newId } from "../ids";
import { checkReceiverUrl } from "../webhooks/address";
import { renewReviews } from "./request";
import { governanceAgents } from "./schema";

const agentItem = z.looseObject({
  url: z.string(),
  authentication: z.looseObject({ schemes: z.array(z.enum(["Bearer", "HMAC-SHA256"])).length(1), credentials: z.string().min(32).max(4_096) }),
  categories: z.array(z.string()).optional(),
});
const accountItem = z.looseObject({ account: z.record(z.string(), z.unknown()), governance_agents: z.array(agentItem).min(1).max(10) });

export type AgentRow = typeof governanceAgents.$inferSelect;
type AgentItem = z.infer<typeof agentItem>;

export const agentSecrets = (tenantId: string, agentId: string) => `governance_agents:${tenantId}:${agentId}`;

/**
 * Takes each account's list of governance agents in place of the one before; answers one result per account (account/sync-governance-response).
 * An account that is not this buyer's, or an address that may not be called, fails that account alone.
 */
export async function syncGovernance(ctx: Ctx, session: BuyerSession, items: readonly unknown[]): Promise<Record<string, unknown>[]> {
  const results: Record<string, unknown>[] = [];
  for (const [index, input] of items.entries()) {
    const { account: ref, governance_agents: asked } = accountItem.parse(input);
    try {
      const account = await resolveAccount(ctx, session, ref);
      assertAccountAllows("sync_governance", account);
      checkAgents(asked, `accounts[${index}].governance_agents`);
      results.push({ account: ref, status: "synced", governance_agents: (await replaceAgents(ctx, account, asked)).map(presentAgent) });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      results.push({ account: ref, status: "failed", errors: [toWireError(error)] });
    }
  }
  return results;
}

function checkAgents(asked: AgentItem[], path: string): void {
  for (const [index, { url }] of asked.entries()) {
    checkReceiverUrl(url, `${path}[${index}].url`, "governance agent");
    if (asked.findIndex((other) => other.url === url) < index) throw new AppError("VALIDATION_ERROR", "This governance agent is named twice.", { field: `${path}[${index}].url`, suggestion: "Name its categories together." });
  }
}

/** Credentials are sealed anew each time. An agent that stays keeps its row, so that checks under way use its new credentials. */
async function replaceAgents(ctx: Ctx, account: AccountRow, asked: AgentItem[]): Promise<AgentRow[]> {
  const its = and(eq(accounts.tenantId, ctx.tenantId), eq(accounts.id, account.id));
  await ctx.db.select({ id: accounts.id }).from(accounts).where(its).for("update");
  const known = await loadAgents(ctx, [account.id]);
  const rows = asked.map(({ url, authentication, categories }, position): AgentRow => {
    const current = known.find((row) => row.url === url);
    const id = current?.id ?? newId(ctx.now.getTime());
    return {
      tenantId: ctx.tenantId, id, accountId: account.id, position, url, authScheme: authentication.schemes[0] ?? "Bearer", credentialsEncrypted: encryptSecret(authentication.credentials, agentSecrets(ctx.tenantId, id)),
      categories: categories ?? null, createdAt: current?.createdAt ?? ctx.now, updatedAt: ctx.now, archivedAt: null,
    };
  });
  await ctx.db.update(governanceAgents).set({ archivedAt: ctx.now, updatedAt: ctx.now }).where(and(
    eq(governanceAgents.tenantId, ctx.tenantId), eq(governanceAgents.accountId, account.id), isNull(governanceAgents.archivedAt), notInArray(governanceAgents.id, rows.map(({ id }) => id)),
  ));
  for (const row of rows) {
    const { position, authScheme, credentialsEncrypted, categories, updatedAt } = row;
    await ctx.db.insert(governanceAgents).values(row).onConflictDoUpdate({ target: [governanceAgents.tenantId, governanceAgents.id], set: { position, authScheme, credentialsEncrypted, categories, updatedAt } });
  }
  await ctx.db.update(accounts).set({ isGoverned: true, updatedAt: ctx.now }).where(its);
  await renewReviews(ctx, account.id, rows);
  await recordAudit(ctx, {
    action: "account.governance_synced", objectKind: "account", objectId: account.id, summary: `Orders of the account ${account.name} need the agreement of ${rows.map(({ url }) => new URL(url).host).join(", ")}.`,
    before: { governance_agents: known.map(({ url }) => url) }, after: { governance_agents: rows.map(({ url }) => url) },
  });
  return rows;
}

/** The agents that stand for these accounts now, in the order in which they were named. */
export async function loadAgents(ctx: Ctx, accountIds: string[]): Promise<AgentRow[]> {
  if (accountIds.length === 0) return [];
  return ctx.db.select().from(governanceAgents)
    .where(and(eq(governanceAgents.tenantId, ctx.tenantId), inArray(governanceAgents.accountId, accountIds), isNull(governanceAgents.archivedAt))).orderBy(asc(governanceAgents.accountId), asc(governanceAgents.position));
}

/** What list_accounts adds to each account that names agents. */
export async function presentAgentsOf(ctx: Ctx, rows: Pick<AccountRow, "id" | "isGoverned">[]): Promise<Map<string, { governance_agents: Record<string, unknown>[] }>> {
  const agents = groupBy(await loadAgents(ctx, rows.filter(({ isGoverned }) => isGoverned).map(({ id }) => id)), ({ accountId }) => accountId);
  return new Map([...agents].map(([accountId, own]) => [accountId, { governance_agents: own.map(presentAgent) }]));
}

function presentAgent({ url, categories }: AgentRow): Record<string, unknown> {
  return { url, ...(categories === null ? {} : { categories }) };
}
