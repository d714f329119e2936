import { assertAccountAllows } from "../../accounts/gates";
import { resolveAccount } from "../../accounts/service";
import { syncAudiences } from "../../audiences/service";
import { type Tool } from "../tool";

export const syncAudiencesTool: Tool = {
  kind: "mutation",
  name: "sync_audiences",
  title: "Sync audiences",
  description: "Makes, changes and deletes your own audiences of hashed identifiers in one account; without `audiences`, tells of those there are. They are kept and not matched by an ad server yet: no order can be targeted by one.",
  access: "principal",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  async run(call, input) {
    const account = await resolveAccount(call, call.session, input.account);
    assertAccountAllows("sync_audiences", account);
    const results = await syncAudiences(call, { account, request: input });
    return { payload: { audiences: results, ...(call.session.isSandbox ? { sandbox: true } : {}) }, summary: `${results.length} audience${results.length === 1 ? "" : "s"}.` };
  },
};
