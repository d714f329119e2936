import { type Actor } from "../context";
import { type Tx } from "../db/client";
import { type Log } from "../log";

/** Who calls, as proven by the token, or by the signature where no token was sent: then `tokenId` is the key's. */
export type BuyerSession = { tokenId: string; tenantId: string; principalId: string; principalName: string; isSandbox: boolean; scopes: string[] };

/** Whether this request was signed, and what is known of its buyer's signing. */
export type SigningState = { isSigned: boolean; isSigningRequired: boolean; hasSigningKey: boolean };

/** One call of one tool, whatever the transport. */
export type ToolCall = {
  tenantId: string;
  /** null only for tools with access "public" called without a token. */
  session: BuyerSession | null;
  /** tenants.catalog_version as read with the session: the key of the catalogue cache. */
  catalogVersion: number;
  now: Date;
  log: Log;
  requestId: string;
  /** Origin of this agent as the buyer reaches it: the agent_url of our formats. */
  agentUrl: string;
  signing: SigningState;
  /** Names of the tools by which this caller could change anything. */
  changes: () => string[];
};

/** A read opens its own transaction (withTenant) if it needs one; a mutation gets the transaction in which its answer is stored. */
export type ReadTool = { kind: "read"; run(call: ToolCall, input: Record<string, unknown>): Promise<ToolAnswer> };
export type MutationTool = { kind: "mutation"; run(call: ToolCall & { session: BuyerSession; db: Tx; actor: Actor }, input: Record<string, unknown>): Promise<ToolAnswer> };

export type ToolAnswer = {
  /** The protocol payload of this tool, without envelope (context, replayed, adcp_version …), which the dispatcher adds. */
  payload: Record<string, unknown>;
  /** One sentence for a person or a model. */
  summary: string;
  /** `payload` as JSON text, when it is served from memory: validated when it was made, not again. */
  json?: string;
};

export type Tool = (ReadTool | MutationTool) & {
  /** Name on the wire: `create_media_buy`. */
  name: string;
  title: string;
  description: string;
  /** Further names by which the tool answers, without being listed under them. */
  aliases?: readonly string[];
  /** What a request means that leaves these out, as older clients do. Filled in before the schema is checked. */
  defaults?: Record<string, unknown>;
  /** public: also without a token (then without prices and private data). */
  access: "public" | "principal";
  /** For whom the tool exists; left out: for everybody. To others it is unknown, at every door. */
  isVisible?: (session: BuyerSession | null) => boolean;
  annotations: { readOnlyHint: boolean; destructiveHint: boolean; idempotentHint: boolean };
  /** Name of the schema in the SDK's 3.0 bundle when it is not the tool's own. null: this project's own schema in `ownSchema`. */
  ownSchema?: { request: Record<string, unknown>; response: Record<string, unknown> };
};
