import { z } from "zod";
import { setAccountReceiver } from "../../accounts/receiver";
import { presentSynced, syncAccounts } from "../../accounts/sync";
import { toWireId } from "../../ids";
import { type Tool } from "../tool";

const syncInput = z.looseObject({ accounts: z.array(z.unknown()), delete_missing: z.boolean().default(false), dry_run: z.boolean().default(false), push_notification_config: z.record(z.string(), z.unknown()).optional() });

export const syncAccountsTool: Tool = {
  kind: "mutation",
  name: "sync_accounts",
  title: "Open and update accounts",
  description: "Declares the advertisers you buy for: per account the brand, the operator and who is billed. Opens what is new and updates terms. delete_missing closes your other accounts; dry_run only says what would happen.",
  access: "principal",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  async run(call, input) {
    const { accounts: items, delete_missing: isDeletingMissing, dry_run: isDryRun, push_notification_config: config } = syncInput.parse(input);
    const { synced, closed } = await syncAccounts(call, call.session, { items, isDryRun, isDeletingMissing });
    if (config) await setAccountReceiver(call, { principalId: call.session.principalId, accountIds: synced.map(({ row }) => row.id), config, isDryRun });
    const results = [
      ...synced.map((account) => presentSynced(account, isDryRun)),
      ...closed.map((row) => ({
        account_id: toWireId("account", row.id), brand: { domain: row.brandDomain, ...(row.brandId === null ? {} : { brand_id: row.brandId }) }, operator: row.operator,
        name: row.name, action: "updated", status: row.status, sandbox: row.isSandbox,
      })),
    ];
    return { payload: { accounts: results, ...(isDryRun ? { dry_run: true } : {}) }, summary: `${synced.length} accounts synced${closed.length > 0 ? `, ${closed.length} closed` : ""}.` };
  },
};
