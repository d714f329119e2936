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

export type SignInOutcome = { outcome: "signed_in"; claims: SessionClaims } | { outcome: "refused" } | { outcome: "wait"; retryAt: Date };

const userRow = z.object({ user_id: z.uuid(), name: z.string(), password_hash: z.string().nullable(), session_version: z.number() });
const retryRow = z.object({ retry_at: z.coerce.date().nullable() });

/** Checks a password. Counts the attempt first, so that parallel guesses gain nothing. */
export async function signInWithPassword(input: { email: string; password: string; address: string }): Promise<SignInOutcome> {
  const email = input.email.trim().toLowerCase();
  const personal = [
    { key: keyOf("email", email), limit: LIMITS.email },
    { key: keyOf("both", email, input.address), limit: LIMITS.emailAndAddress },
  ];
  const keys = [...personal, { key: keyOf("address", input.address), limit: LIMITS.address }];
  const [taken] = await lookUp(retryRow, sql`select retry_at from take_sign_in_attempt(${JSON.stringify(keys)}::text::jsonb, ${WINDOW_SECONDS}::integer)`);
  if (taken?.retry_at) return { outcome: "wait", retryAt: taken.retry_at };

  const [user] = await lookUp(userRow, sql`select user_id, name, password_hash, session_version from staff_sign_in(${email})`);
  if (!(await verifyPassword(input.password, user?.password_hash ?? null)) || !user) return { outcome: "refused" };
  await lookUp(z.object({ forgotten: z.number() }), sql`select forgotten from forget_sign_in_attempts(${JSON.stringify(personal)}::text::jsonb)`);
  return { outcome: "signed_in", claims: { userId: user.user_id, sessionVersion: user.session_version } };
}

/** Somebody whom an identity provider vouches for: only people who are staff already. */
export async function findStaffByEmail(email: string): Promise<SessionClaims | null> {
  const [user] = await lookUp(userRow, sql`select user_id, name, password_hash, session_version from staff_sign_in(${email.trim()})`);
  return user ? { userId: user.user_id, sessionVersion: user.session_version } : null;
}

function keyOf(...parts: string[]): string {
  return sha256(parts.join("\n")).toString("hex");
}
