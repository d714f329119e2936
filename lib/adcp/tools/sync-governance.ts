import { z } from "zod";
import { syncGovernance } from "../../governance/agents";
import { type Tool } from "../tool";

const syncInput = z.looseObject({ accounts: z.array(z.unknown()) });

export const syncGovernanceTool: Tool = {
  kind: "mutation",
  name: "sync_governance",
  title: "Register governance agents",
  description:
    "Names the governance agents that must agree before an order of an account is accepted; each call replaces the account's list. Orders of such an account carry plan_id, are answered with status `submitted`, and go on once every agent has approved. Credentials are never shown again.",
  access: "principal",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
  async run(call, input) {
    const accounts = await syncGovernance(call, call.session, syncInput.parse(input).accounts);
    return { payload: { accounts }, summary: `${accounts.filter(({ status }) => status === "synced").length} of ${accounts.length} accounts synced.` };
  },
};
