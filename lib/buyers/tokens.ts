import { randomBytes } from "node:crypto";
import { sha256 } from "../crypto";

/** Tokens that begin so exist in demo mode only. */
export const DEMO_TOKEN_PREFIX = "demo-";

/** Characters of a token that may be shown and stored: enough to recognise it, far too few to use it. */
const SHOWN_CHARACTERS = 12;

export type NewToken = { token: string; tokenHash: Buffer; prefix: string };

/** A new bearer token of 256 random bits: `<prefix>_<43 characters>`. The token itself is shown once and stored nowhere. */
export function createToken(prefix = "gl"): NewToken {
  return describeToken(`${prefix}_${randomBytes(32).toString("base64url")}`);
}

/** What is stored about a token that already exists. */
export function describeToken(token: string): NewToken {
  return { token, tokenHash: hashToken(token), prefix: token.slice(0, SHOWN_CHARACTERS) };
}

/** SHA-256 is enough: the tokens are random, so there is nothing to guess. */
export function hashToken(token: string): Buffer {
  return sha256(token);
}
