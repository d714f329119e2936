import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport, StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { z } from "zod";
import packageJson from "../../package.json" with { type: "json" };
import { isObject } from "../adcp/schemas";
import { AppError } from "../errors";
import { SECOND_MS } from "../time";
import { checkReceiverUrl, pinAddress, RefusedAddress, type Resolver } from "../webhooks/address";
import { createPinnedFetch, type Fetch } from "../webhooks/pinned-fetch";

/** The wire to an agent that a buyer named: MCP over HTTP, by the protocol's own client, to a checked and pinned address. Worker code only. */

/** No answer came. `isFinal`: asking again the same way will not bring one. `code`: the agent's own, if it named one. */
export class NoAnswer extends Error {
  override name = "NoAnswer";
  constructor(message: string, readonly isFinal: boolean, readonly code?: string) {
    super(message);
  }
}

/** For everything that one question takes, however many calls. */
const DEADLINE_MS = 20 * SECOND_MS;
/** HTTP statuses that only other credentials or another address can mend. */
const FINAL_STATUSES = [400, 401, 403, 404, 405, 410];

/** `who` names the agent in messages: "governance agent". `sign` gives further headers for a body. */
export type Agent = { url: string; who: string; sign(url: URL, body: string): Promise<Record<string, string>> };

/** Calls one tool; answers its payload, which nobody has checked. */
export type CallTool = (name: string, request: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** One question to an agent, of one call or several. Throws NoAnswer whatever went wrong. */
export async function askAgent<T>(resolve: Resolver, agent: Agent, ask: (call: CallTool) => Promise<T>): Promise<T> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  try {
    const url = checkReceiverUrl(agent.url, "url", agent.who);
    const address = await pinAddress(url, resolve);
    const pinned = createPinnedFetch(url, address, (body) => agent.sign(url, body));
    const bounded: Fetch = (input, init) => pinned(input, { ...init, signal: init?.signal ? AbortSignal.any([deadline, init.signal]) : deadline });
    return await withClient(url, bounded, (client) => ask(async (name, request) => readPayload(agent.who, name, await client.callTool({ name, arguments: request }, undefined, { timeout: DEADLINE_MS }))));
  } catch (error) {
    throw toNoAnswer(error, agent.who, deadline);
  }
}

async function withClient<T>(url: URL, fetch: Fetch, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ name: "greenlight", version: packageJson.version });
  const transport = new StreamableHTTPClientTransport(url, { fetch, reconnectionOptions: { maxRetries: 0, initialReconnectionDelay: 1_000, maxReconnectionDelay: 1_000, reconnectionDelayGrowFactor: 1 } });
  try {
    await client.connect(transport, { timeout: DEADLINE_MS });
    return await work(client);
  } finally {
    await client.close();
  }
}

const textContent = z.looseObject({ type: z.literal("text"), text: z.string() });
const errorSchema = z.looseObject({ code: z.string(), message: z.string().optional() });

function readPayload(who: string, tool: string, result: Record<string, unknown>): Record<string, unknown> {
  const payload = payloadOf(result);
  const named = errorSchema.safeParse(payload?.adcp_error ?? (Array.isArray(payload?.errors) ? payload.errors[0] : undefined));
  if (named.success) throw new NoAnswer(`The ${who} answered ${named.data.code}${named.data.message === undefined ? "" : `: ${named.data.message}`}`, named.data.code.endsWith("NOT_FOUND"), named.data.code);
  if (result.isError === true || payload === undefined) throw new NoAnswer(`The ${who}'s answer is not one of ${tool}.`, false);
  return payload;
}

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

function toNoAnswer(error: unknown, who: string, deadline: AbortSignal): NoAnswer {
  if (error instanceof NoAnswer) return error;
  if (deadline.aborted) return new NoAnswer(`The ${who} did not answer within ${DEADLINE_MS / SECOND_MS} s.`, false);
  if (error instanceof AppError) return new NoAnswer(error.message, true);
  // To whoever named it no other than a name that cannot be reached, in words and in time: what our own network knows is not theirs.
  if (error instanceof RefusedAddress) return new NoAnswer(`The ${who} could not be asked: ${error.message}`, false);
  if (error instanceof UnauthorizedError) return new NoAnswer(`The ${who} refused the credentials.`, true);
  if (error instanceof StreamableHTTPError) {
    const { code = 0 } = error;
    if (code === 401 || code === 403) return new NoAnswer(`The ${who} refused the credentials.`, true);
    return new NoAnswer(`The ${who} answered ${code > 0 ? `HTTP ${code}` : "unintelligibly"}.`, FINAL_STATUSES.includes(code));
  }
  return new NoAnswer(`The ${who} could not be asked: ${error instanceof Error ? error.message : String(error)}`, false);
}
