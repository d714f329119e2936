import { createHash, verify } from "node:crypto";
import { z } from "zod";
import type { ServiceAccount } from "./accounts";
import { ApiError } from "./errors";

const WRITE_SCOPE = "https://www.googleapis.com/auth/admanager";
const READ_SCOPE = "https://www.googleapis.com/auth/admanager.readonly";
const AUDIENCE = "https://admanager.googleapis.com/";
const CLOCK_SKEW_SECONDS = 60;
const LONGEST_LIFE_SECONDS = 3600;
const CACHE_SIZE = 1000;

const headerSchema = z.object({ alg: z.literal("RS256"), kid: z.string().optional() });
const claimsSchema = z.object({
  iss: z.string(),
  sub: z.string().optional(),
  scope: z.string().optional(),
  aud: z.string().optional(),
  iat: z.number(),
  exp: z.number(),
});
type Claims = z.infer<typeof claimsSchema>;

interface VerifiedToken {
  claims: Claims;
  publicKey: string;
}

export function unauthenticated(): ApiError {
  return new ApiError(
    "UNAUTHENTICATED",
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
    { detail: { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "ACCESS_TOKEN_INVALID", domain: "googleapis.com" } },
  );
}

function insufficientScope(): ApiError {
  return new ApiError("PERMISSION_DENIED", "Request had insufficient authentication scopes.", {
    detail: { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "ACCESS_TOKEN_SCOPE_INSUFFICIENT", domain: "googleapis.com" },
  });
}

/** Verifies self-signed service-account JWTs: issuer, key, signature, life and scope. */
export class Authenticator {
  /** Tokens whose signature was checked, by digest: a client sends one for an hour. */
  private readonly verified = new Map<string, VerifiedToken>();

  constructor(private readonly accounts: ReadonlyMap<string, ServiceAccount>) {}

  authenticate(authorization: string | undefined, options: { isWrite: boolean; nowMs: number }): ServiceAccount {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(authorization ?? "")?.[1];
    if (token === undefined) throw unauthenticated();
    const { claims, publicKey } = this.verify(token);
    const account = this.accounts.get(claims.iss);
    if (!account || account.isRevoked || !account.keys.some((key) => key.publicKey === publicKey)) throw unauthenticated();
    const nowSeconds = options.nowMs / 1000;
    const isAlive = claims.exp > nowSeconds - CLOCK_SKEW_SECONDS && claims.iat < nowSeconds + CLOCK_SKEW_SECONDS;
    if (!isAlive || claims.exp - claims.iat > LONGEST_LIFE_SECONDS) throw unauthenticated();
    if (claims.sub !== undefined && claims.sub !== claims.iss) throw unauthenticated();
    if (claims.aud !== undefined && claims.aud !== AUDIENCE) throw unauthenticated();
    const scopes = (claims.scope ?? "").split(" ");
    if (!scopes.includes(WRITE_SCOPE) && (options.isWrite || !scopes.includes(READ_SCOPE))) throw insufficientScope();
    return account;
  }

  private verify(token: string): VerifiedToken {
    const digest = createHash("sha256").update(token).digest("base64");
    const known = this.verified.get(digest);
    if (known) return known;
    const [head = "", payload = "", signature = ""] = token.split(".");
    const header = readPart(headerSchema, head);
    const claims = readPart(claimsSchema, payload);
    if (!header || !claims) throw unauthenticated();
    const signed = Buffer.from(`${head}.${payload}`);
    const key = this.accounts.get(claims.iss)?.keys
      .filter(({ id }) => header.kid === undefined || header.kid === id)
      .find(({ publicKey }) => verify("RSA-SHA256", signed, publicKey, Buffer.from(signature, "base64url")));
    if (!key) throw unauthenticated();
    if (this.verified.size >= CACHE_SIZE) this.verified.clear();
    const entry = { claims, publicKey: key.publicKey };
    this.verified.set(digest, entry);
    return entry;
  }
}

function readPart<T>(schema: z.ZodType<T>, part: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(part, "base64url").toString("utf8"))).data;
  } catch {
    return undefined;
  }
}
