import { sql } from "drizzle-orm";
import { z } from "zod";
import { sha256 } from "../crypto";
import { lookUp } from "../db/client";
import { verifyPassword } from "./passwords";
import { type SessionClaims } from "./session-token";

/**
 * Attempts within 15 minutes that did not end in a session. Counted in Postgres, so all web processes share them. The e-mail address
 * alone is counted too: a network address can be forged where no trusted proxy sets X-Forwarded-For, and guessing can be spread.
 */
const WINDOW_SECONDS = 15 * 60;
const LIMITS = { emailAndAddress: 5, email: 20, address: 60 };

export type SignInOutcome = { outcome: "signed_in"; name: string; claims: SessionClaims } | { outcome: "refused" } | { outcome: "wait"; retryAt: Date };

const userRow = z.object({ user_id: z.uuid(), name: z.string(), password_hash: z.string().nullable(), session_version: z.number(), has_access: z.boolean() });
const retryRow = z.object({ retry_at: z.coerce.date().nullable() });

/**
 * Checks a password. Counts the attempt first, so that parallel guesses gain nothing. Somebody to whom no publisher is open is refused like
 * a stranger, unless they are about to join one (`isInvited`).
 */
export async function signInWithPassword(input: { email: string; password: string; address: string; isInvited?: boolean }): Promise<SignInOutcome> {
  const email = input.email.trim().toLowerCase();
  const personal = [
    { of: ["email", email], limit: LIMITS.email },
    { of: ["both", email, input.address], limit: LIMITS.emailAndAddress },
  ];
  const retryAt = await takeAttempt([...personal, { of: ["address", input.address], limit: LIMITS.address }]);
  if (retryAt) return { outcome: "wait", retryAt };

  const user = await findUser(email);
  if (!(await verifyPassword(input.password, user?.password_hash ?? null)) || !user || !(user.has_access || input.isInvited)) return { outcome: "refused" };
  await lookUp(z.object({ forgotten: z.number() }), sql`select forgotten from forget_sign_in_attempts(${JSON.stringify(personal.map(toKey))}::text::jsonb)`);
  return { outcome: "signed_in", name: user.name, claims: { userId: user.user_id, sessionVersion: user.session_version } };
}

/** Somebody whom an identity provider vouches for: only people to whom a publisher is open. */
export async function findStaffByEmail(email: string): Promise<SessionClaims | null> {
  const user = await findUser(email.trim());
  return user?.has_access ? { userId: user.user_id, sessionVersion: user.session_version } : null;
}

async function findUser(email: string) {
  const [user] = await lookUp(userRow, sql`select user_id, name, password_hash, session_version, has_access from staff_sign_in(${email})`);
  return user;
}

type Counted = { of: string[]; limit: number };

/** Counts one attempt under each of these, in windows of 15 minutes. Until when to wait if one is over its limit; else null. */
export async function takeAttempt(counted: Counted[]): Promise<Date | null> {
  const [taken] = await lookUp(retryRow, sql`select retry_at from take_sign_in_attempt(${JSON.stringify(counted.map(toKey))}::text::jsonb, ${WINDOW_SECONDS}::integer)`);
  return taken?.retry_at ?? null;
}

function toKey({ of, limit }: Counted): { key: string; limit: number } {
  return { key: keyOf(...of), limit };
}

function keyOf(...parts: string[]): string {
  return sha256(parts.join("\n")).toString("hex");
}
