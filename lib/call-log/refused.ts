import { hashToken } from "../buyers/tokens";
import { type AppError } from "../errors";
import { type PresentedToken } from "./buffer";

/** Beside the error, not in it: what a stranger presented must never come back in an answer. */
const presentedTokens = new WeakMap<AppError, PresentedToken>();

/** Shorter texts are no tokens of ours but, perhaps, somebody's password. */
const RECOGNISABLE_FROM = 24;
const SHOWN_CHARACTERS = 8;

/** Notes with an error which token was refused, by its hash and its first characters. Answers the same error. */
export function withPresentedToken(error: AppError, token: string, host: string): AppError {
  presentedTokens.set(error, { tokenHash: hashToken(token), prefix: token.length < RECOGNISABLE_FROM ? "" : token.slice(0, SHOWN_CHARACTERS), host });
  return error;
}

export function presentedTokenOf(error: AppError): PresentedToken | undefined {
  return presentedTokens.get(error);
}
