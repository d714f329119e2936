import { z } from "zod";
import { type AgentReaction, type McpAgent, startMcpAgent } from "./mcp-agent";

type Request = Record<string, unknown>;
/** What the agent answers: a decision, or what any agent may answer instead. */
export type Reaction = { decision: Record<string, unknown> } | Exclude<AgentReaction, { payload: unknown }>;
export type GovernanceAgent = Omit<McpAgent<Request>, "react"> & { react(reaction: Reaction | ((request: Request) => Reaction)): void };

const planned = z.looseObject({ planned_delivery: z.looseObject({ end_time: z.string() }) });

/** Stands until the end of the flight, unless said otherwise. */
export function approval(request: Record<string, unknown>, overrides: Record<string, unknown> = {}): Reaction {
  return { decision: { check_id: "chk_1", status: "approved", plan_id: request.plan_id, explanation: "Within the plan.", governance_context: "token-of-the-agent", expires_at: planned.parse(request).planned_delivery.end_time, ...overrides } };
}

export function denial(request: Record<string, unknown>): Reaction {
  return { decision: { check_id: "chk_2", status: "denied", plan_id: request.plan_id, explanation: "The plan's budget is spent.", findings: [{ category_id: "budget_compliance", severity: "critical", explanation: "Budget exceeded by 500 USD.", details: { remaining: 0 } }] } };
}

const toAnswer = (reaction: Reaction): AgentReaction => (typeof reaction === "object" && "decision" in reaction ? { payload: reaction.decision } : reaction);

/** A buyer's governance agent; it approves until told otherwise. */
export async function startGovernanceAgent(): Promise<GovernanceAgent> {
  const agent = await startMcpAgent<Request>("governance", ["check_governance"], z.looseObject({ plan_id: z.string(), caller: z.string() }), (request) => toAnswer(approval(request)));
  return { ...agent, react: (next) => agent.react((request) => toAnswer(typeof next === "function" ? next(request) : next)) };
}
