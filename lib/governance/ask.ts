import { z } from "zod";
import { compileSchema } from "../adcp/schemas";
import { askAgent, NoAnswer } from "../agents/call";
import { type Resolver } from "../webhooks/address";
import { type Authentication, signHeaders } from "../webhooks/signing";

export { NoAnswer } from "../agents/call";

export type Question = { url: string; authentication: Authentication; request: Record<string, unknown> };

const findingSchema = z.looseObject({ category_id: z.string(), severity: z.string(), explanation: z.string() });
const conditionSchema = z.looseObject({ field: z.string(), reason: z.string(), required_value: z.unknown().optional() });
const answerSchema = z.looseObject({
  check_id: z.string(), status: z.enum(["approved", "denied", "conditions"]), plan_id: z.string(), explanation: z.string(), findings: z.array(findingSchema).default([]), conditions: z.array(conditionSchema).default([]),
  expires_at: z.coerce.date().optional(), governance_context: z.string().optional(),
});
export type Answer = z.infer<typeof answerSchema>;

/** One check_governance. Throws NoAnswer. */
export async function askGovernance(resolve: Resolver, question: Question, now: Date): Promise<Answer> {
  const agent = { url: question.url, who: "governance agent", sign: (url: URL, body: string) => signHeaders(url, body, question.authentication, now) };
  const answer = await askAgent(resolve, agent, async (call) => readAnswer(await call("check_governance", question.request), question.request));
  // A lapsed approval is no approval.
  if (answer.status !== "denied" && answer.expires_at !== undefined && answer.expires_at <= now) throw new NoAnswer("The governance agent's approval had lapsed when it came.", false);
  return answer;
}

function readAnswer(payload: Record<string, unknown>, request: Record<string, unknown>): Answer {
  const validate = compileSchema("governance/check-governance-response");
  if (!validate(payload)) throw new NoAnswer("The governance agent's answer is not one of check_governance.", false);
  const answer = answerSchema.parse(payload);
  if (answer.plan_id !== request.plan_id) throw new NoAnswer("The governance agent answered about another plan.", false);
  return answer;
}
