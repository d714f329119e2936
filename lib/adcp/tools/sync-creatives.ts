import { assertAccountAllows } from "../../accounts/gates";
import { resolveAccount } from "../../accounts/service";
import { syncCreatives } from "../../creatives/sync";
import { type Tool } from "../tool";

export const syncCreativesTool: Tool = {
  kind: "mutation",
  name: "sync_creatives",
  title: "Upload creatives",
  description:
    "Adds creatives to an account's library or updates them by creative_id, checked against their format, and assigns them to packages. validation_mode strict (the default) changes nothing if anything is wrong; lenient keeps what is valid. delete_missing archives the rest of the library; dry_run only says what would happen.",
  access: "principal",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  async run(call, input) {
    const account = await resolveAccount(call, call.session, input.account);
    assertAccountAllows("sync_creatives", account);
    const { results, isDryRun } = await syncCreatives(call, { session: call.session, account, request: input });
    const failed = results.filter(({ action }) => action === "failed").length;
    return {
      payload: { creatives: results, ...(isDryRun ? { dry_run: true } : {}), ...(call.session.isSandbox ? { sandbox: true } : {}) },
      summary: `${results.length - failed} creatives ${isDryRun ? "would be synced" : "synced"}${failed > 0 ? `, ${failed} failed` : ""}.`,
    };
  },
};
