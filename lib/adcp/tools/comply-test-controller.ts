import { withTenant } from "../../db/client";
import { invariant } from "../../errors";
import { runScenario, SCENARIO_NAMES } from "../../sandbox/controller";
import { ControllerProblem } from "../../sandbox/problem";
import { buyerActor } from "../buyer-actor";
import { isObject, schemaRef } from "../schemas";
import { type Tool } from "../tool";
import { findResponseProblem } from "../tool-schemas";
import { createMediaBuyTool } from "./create-media-buy";

/** compliance/comply-test-controller-*.json of 3.0, which the SDK does not carry as JSON. An unknown scenario has an error of its own. */
const REQUEST = {
  type: "object",
  required: ["scenario"],
  properties: {
    scenario: { type: "string", minLength: 1, maxLength: 100, description: `list_scenarios, ${SCENARIO_NAMES.join(", ")}` },
    params: { type: "object", description: "What the scenario needs" },
    account: { ...schemaRef("core/account-ref"), description: "For seed_creative and seed_media_buy: the account they belong to; otherwise your first" },
    context: schemaRef("core/context"),
    ext: schemaRef("core/ext"),
  },
};

const RESPONSE = {
  type: "object",
  required: ["success"],
  properties: {
    success: { type: "boolean" },
    scenarios: { type: "array", items: { type: "string" } },
    previous_state: { type: "string" },
    current_state: { type: ["string", "null"] },
    simulated: { type: "object" },
    cumulative: { type: "object" },
    forced: { type: "object", required: ["arm"], properties: { arm: { enum: ["submitted", "input-required"] }, task_id: { type: "string" } } },
    message: { type: "string" },
    error: { enum: ["UNKNOWN_SCENARIO", "INVALID_PARAMS", "NOT_FOUND", "INVALID_TRANSITION", "INVALID_STATE", "FORBIDDEN"] },
    error_detail: { type: "string" },
    context: schemaRef("core/context"),
    ext: schemaRef("core/ext"),
  },
};

/** Naturally idempotent, so it takes no key: it is a read in form only, and each scenario commits or leaves nothing. */
export const complyTestControllerTool: Tool = {
  kind: "read",
  name: "comply_test_controller",
  title: "Prepare a test (sandbox)",
  description: "For tests of your own client in the sandbox: prepares products, creatives and orders, sets their states, and makes up delivery. What it sets is what every other tool then shows. It touches your own sandbox data only.",
  access: "principal",
  isVisible: (session) => session?.isSandbox === true,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  ownSchema: { request: REQUEST, response: RESPONSE },
  async run({ session, tenantId, now, log, agentUrl, catalogVersion }, input) {
    invariant(session, "the test controller was called without a buyer");
    const scenario = String(input.scenario);
    const findResultProblem = (result: Record<string, unknown>) => findResponseProblem(createMediaBuyTool, result);
    try {
      const payload = await withTenant(tenantId, (db) => runScenario({ db, tenantId, actor: buyerActor(session), now, log }, { session, scenario, params: isObject(input.params) ? input.params : {}, account: input.account, agentUrl, catalogVersion, findResultProblem }));
      return { payload: { success: true, ...payload }, summary: `${scenario} succeeded.` };
    } catch (error) {
      if (!(error instanceof ControllerProblem)) throw error;
      return { payload: { success: false, error: error.code, error_detail: error.message, ...(error.currentState === undefined ? {} : { current_state: error.currentState }) }, summary: error.message };
    }
  },
};
