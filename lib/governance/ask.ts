import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport, StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { z } from "zod";
import packageJson from "../../package.json" with { type: "json" };
import { compileSchema, isObject } from "../adcp/schemas";
import { AppError } from "../errors";
import { SECOND_MS } from "../time";
import { checkReceiverUrl, pinAddress, RefusedAddress, type Resolver } from "../webhooks/address";
import { createPinnedFetch, type Fetch } from "../webhooks/pinned-fetch";
import { type Authentication, signHeaders } from "../webhooks/signing";

/** The wire to a governance agent: MCP over HTTP, by the protocol's own client, to a checked and pinned address. */

export type Question = { url: string; authentication: Authentication; request: Record<string, unknown> };

const findingSchema = z.looseObject({ category_id: z.string(), severity: z.string(), explanation: z.string() });
const conditionSchema = z.looseObject({ field: z.string(), reason: z.string(), required_value: z.unknown().optional() });
const answerSchema = z.looseObject({
  check_id: z.string(), status: z.enum(["approved", "denied", "conditions"]), plan_id: z.string(), explanation: z.string(), findings: z.array(findingSchema).default([]), conditions: z.array(conditionSchema).default([]),
  expires_at: z.coerce.date().optional(), governance_context: z.string().optional(),
});
export type Answer = z.infer<typeof answerSchema>;

/** No decision came. `isFinal`: asking again the same way will not bring one. `code`: the agent's own, if it named one. */
export class NoAnswer extends Error {
  override name = "NoAnswer";
  constructor(message: string, readonly isFinal: boolean, readonly code?: string) {
    super(message);
  }
}

const DEADLINE_MS = 20 * SECOND_MS;
/** HTTP statuses that only other credentials or another address can mend. */
const FINAL_STATUSES = [400, 401, 403, 404, 405, 410];

/** One check_governance. Throws NoAnswer. */
export async function askGovernance(resolve: Resolver, question: Question, now: Date): Promise<Answer> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  try {
    const url = checkReceiverUrl(question.url, "url", "governance agent");
    const address = await pinAddress(url, resolve);
    const sign = (body: string) => signHeaders(url, body, question.authentication, now);
    const pinned = createPinnedFetch(url, address, sign);
    const bounded: Fetch = (input, init) => pinned(input, { ...init, signal: init?.signal ? AbortSignal.any([deadline, init.signal]) : deadline });
    const answer = readAnswer(await callTool(url, bounded, question.request), question.request);
    // A lapsed approval is no approval.
    if (answer.status !== "denied" && answer.expires_at !== undefined && answer.expires_at <= now) throw new NoAnswer("The governance agent's approval had lapsed when it came.", false);
    return answer;
  } catch (error) {
    throw toNoAnswer(error, deadline);
  }
}

async function callTool(url: URL, fetch: Fetch, request: Record<string, unknown>): Promise<Record<string, unknown>> {
  const client = new Client({ name: "greenlight", version: packageJson.version });
  const transport = new StreamableHTTPClientTransport(url, { fetch, reconnectionOptions: { maxRetries: 0, initialReconnectionDelay: 1_000, maxReconnectionDelay: 1_000, reconnectionDelayGrowFactor: 1 } });
  try {
    await client.connect(transport, { timeout: DEADLINE_MS });
    return await client.callTool({ name: "check_governance", arguments: request }, undefined, { timeout: DEADLINE_MS });
  } finally {
    await client.close();
  }
}

const textContent = z.looseObject({ type: z.literal("text"), text: z.string() });

/** structuredContent, or the JSON that older servers send as text. */
function payloadOf(result: Record<string, unknown>): Record<string, unknown> | undefined {
  if (isObject(result.structuredContent)) return result.structuredContent;
  const text = textContent.safeParse(Array.isArray(result.content) ? result.content[0] : undefined);
  if (!text.success) return undefined;
  try {
    const parsed: unknown = JSON.parse(text.data.text);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

const errorSchema = z.looseObject({ code: z.string(), message: z.string().optional() });

function readAnswer(result: Record<string, unknown>, request: Record<string, unknown>): Answer {
  const payload = payloadOf(result);
  const named = errorSchema.safeParse(payload?.adcp_error ?? (Array.isArray(payload?.errors) ? payload.errors[0] : undefined));
  if (named.success) throw new NoAnswer(`The governance agent answered ${named.data.code}${named.data.message === undefined ? "" : `: ${named.data.message}`}`, named.data.code === "PLAN_NOT_FOUND", named.data.code);
  const validate = compileSchema("governance/check-governance-response");
  if (result.isError === true || payload === undefined || !validate(payload)) throw new NoAnswer("The governance agent's answer is not one of check_governance.", false);
  const answer = answerSchema.parse(payload);
  if (answer.plan_id !== request.plan_id) throw new NoAnswer("The governance agent answered about another plan.", false);
  return answer;
}

function toNoAnswer(error: unknown, deadline: AbortSignal): NoAnswer {
  if (error instanceof NoAnswer) return error;
  if (deadline.aborted) return new NoAnswer(`The governance agent did not answer within ${DEADLINE_MS / SECOND_MS} s.`, false);
  if (error instanceof RefusedAddress || error instanceof AppError) return new NoAnswer(error.message, true);
  if (error instanceof UnauthorizedError) return new NoAnswer("The governance agent refused the credentials.", true);
  if (error instanceof StreamableHTTPError) {
    const { code = 0 } = error;
    if (code === 401 || code === 403) return new NoAnswer("The governance agent refused the credentials.", true);
    return new NoAnswer(`The governance agent answered ${code > 0 ? `HTTP ${code}` : "unintelligibly"}.`, FINAL_STATUSES.includes(code));
  }
  return new NoAnswer(`The governance agent could not be asked: ${error instanceof Error ? error.message : String(error)}`, false);
}
