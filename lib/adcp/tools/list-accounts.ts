import { z } from "zod";
import { presentAccount } from "../../accounts/present";
import { listOwnAccounts } from "../../accounts/queries";
import { ACCOUNT_STATUSES } from "../../accounts/schema";
import { withTenant } from "../../db/client";
import { invariant } from "../../errors";
import { presentAgentsOf } from "../../governance/agents";
import { buyerActor } from "../buyer-actor";
import { listOf, readPage, toPage } from "../cursor";
import { type Tool } from "../tool";

const listInput = z.looseObject({ status: z.enum(ACCOUNT_STATUSES).optional(), sandbox: z.boolean().optional() });

export const listAccountsTool: Tool = {
  kind: "read",
  name: "list_accounts",
  title: "Your accounts",
  description: "The accounts you have with this publisher, with status and terms, in the order in which they were opened.",
  access: "principal",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  run({ session, tenantId, now, log }, input) {
    invariant(session, "list_accounts without a buyer");
    const { status, sandbox } = listInput.parse(input);
    const page = readPage(input, listOf({ tenantId, session }, "list_accounts"));
    return withTenant(tenantId, async (db) => {
      const ctx = { db, tenantId, actor: buyerActor(session), now, log };
      const rows = await listOwnAccounts(ctx, session, { status, isSandbox: sandbox }, page);
      const { rows: shown, pagination } = toPage(rows, page, ({ id }) => [id]);
      const agents = await presentAgentsOf(ctx, shown);
      return { payload: { accounts: shown.map((row) => ({ ...presentAccount(row), ...agents.get(row.id) })), pagination }, summary: `${shown.length} account${shown.length === 1 ? "" : "s"}${pagination.has_more ? ", and more" : ""}.` };
    });
  },
};
