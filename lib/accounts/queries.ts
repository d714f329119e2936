import { and, asc, eq, gt } from "drizzle-orm";
import { type PageRequest } from "../adcp/cursor";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { type AccountRow } from "./present";
import { type ACCOUNT_STATUSES, accounts } from "./schema";
import { ownAccounts } from "./service";

export type AccountFilter = { status: (typeof ACCOUNT_STATUSES)[number] | undefined; isSandbox: boolean | undefined };

/** The buyer's own accounts in the order in which they were opened; one more than the page holds. */
export async function listOwnAccounts(ctx: Ctx, session: BuyerSession, filter: AccountFilter, page: PageRequest): Promise<AccountRow[]> {
  const where = and(
    ownAccounts(ctx, session),
    filter.status === undefined ? undefined : eq(accounts.status, filter.status),
    filter.isSandbox === undefined ? undefined : eq(accounts.isSandbox, filter.isSandbox),
  );
  const [lastId] = page.after ?? [];
  return ctx.db.select().from(accounts).where(and(where, lastId === undefined ? undefined : gt(accounts.id, String(lastId)))).orderBy(asc(accounts.id)).limit(page.limit + 1);
}
