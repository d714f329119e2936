import { type Tone } from "@/components/ui/badge";
import { type TokenState } from "@/lib/buyers/queries";
import { type Refusal, type Transport } from "@/lib/call-log/schema";

export const TRANSPORT_NAMES: Record<Transport, string> = { mcp: "MCP", rest: "REST", a2a: "A2A" };

export const TOKEN_STATES: Record<TokenState, { tone: Tone; label: string }> = {
  working: { tone: "success", label: "Works" },
  replaced: { tone: "warning", label: "Replaced, still works" },
  expired: { tone: "neutral", label: "Expired" },
  revoked: { tone: "neutral", label: "Revoked" },
};

/** Why a token was refused, and what helps. */
export const REFUSALS: Record<Refusal, { short: string; advice: string }> = {
  revoked: { short: "The token was revoked", advice: "Somebody here ended this token. If the buyer should still have access, issue a new one and hand it over." },
  expired: { short: "The token has expired", advice: "Issue a new token and hand it over. Rotating a token before its end keeps the old one working meanwhile." },
  archived: { short: "The buyer is archived", advice: "None of its tokens works any more. A buyer that should be let in again needs to be created anew." },
  elsewhere: { short: "The token was sent to another publisher’s address", advice: "The token is good, but not at that address. Tell the buyer the address of this publisher." },
  unknown: { short: "No publisher here issued this token", advice: "The token is mistyped, cut off, or of another system. Compare its first characters with those of the tokens you issued." },
};

/** What staff can do about a failed call, where the buyer's own advice is not theirs. */
export const ADVICE: Record<string, string> = {
  AUTH_REQUIRED: "The call came without a token. The buyer must send it as “Authorization: Bearer …” or “x-adcp-auth”.",
  PERMISSION_DENIED: "The token’s permissions do not cover this tool. Rotating keeps the permissions; issue a token with more of them.",
  RATE_LIMITED: "The buyer called faster than its limit. Raise the limit below its calls if the traffic is wanted.",
  INVALID_REQUEST: "The request does not fit the protocol’s schema: the fields at fault are named here. The buyer’s developers must change what they send.",
  VALIDATION_ERROR: "The request is well formed, but a value in it is not accepted. The field and the reason are named here.",
  PRODUCT_NOT_FOUND: "The product is not on sale, or this buyer may not see it. Look at the product’s page.",
  PRODUCT_UNAVAILABLE: "The product cannot be sold as it was asked for. Look at its mapping, and at its connection.",
  ACCOUNT_SUSPENDED: "The account’s status stops its orders. It is among the buyer’s accounts.",
  ACCOUNT_PAYMENT_REQUIRED: "The account’s status stops its orders. It is among the buyer’s accounts.",
  ACCOUNT_SETUP_REQUIRED: "The account waits for somebody here. It is among the buyer’s accounts.",
  ACCOUNT_NOT_FOUND: "The account that was named is none of this buyer’s.",
  MEDIA_BUY_NOT_FOUND: "The order that was named is none of this buyer’s.",
  SERVICE_UNAVAILABLE: "Nothing is wrong with the request. The buyer can send it again.",
  INTERNAL_ERROR: "The mistake is on our side. The message holds the id under which the log tells more: hand it to whoever operates this system.",
};
