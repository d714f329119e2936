import { sql } from "drizzle-orm";
import { cookies } from "next/headers";
import { cache } from "react";
import { z } from "zod";
import { type StaffRole } from "../context";
import { lookUp } from "../db/client";
import { openSession, sealSession, type SessionClaims, sessionCookieName, sessionCookieOptions } from "./session-token";

/** A publisher that somebody works for. */
export type Membership = { tenantId: string; slug: string; name: string; role: StaffRole; isDemo: boolean; timeZone: string };
export type StaffSession = { userId: string; email: string; name: string; memberships: Membership[] };

const accessRow = z.object({
  email: z.string(), name: z.string(), tenant_id: z.uuid(), slug: z.string(), tenant_name: z.string(),
  role: z.enum(["admin", "trafficker", "viewer"]), is_demo: z.boolean(), time_zone: z.string(),
});

/**
 * Who is signed in, with memberships and roles as they are now: read once per request, so that a removed membership or a raised
 * session version holds from the next request on. null: nobody, or somebody who works for no publisher any more.
 */
export const readStaff = cache(async (): Promise<StaffSession | null> => {
  return readStaffOf((await cookies()).get(sessionCookieName())?.value);
});

/** The same for a cookie in hand: long-lived streams look again by themselves. */
export async function readStaffOf(cookie: string | undefined): Promise<StaffSession | null> {
  const claims = await openSession(cookie);
  if (!claims) return null;
  const rows = await lookUp(accessRow, sql`select email, name, tenant_id, slug, tenant_name, role, is_demo, time_zone from staff_access(${claims.userId}::uuid, ${claims.sessionVersion}::integer)`);
  const [first] = rows;
  if (!first) return null;
  const memberships = rows.map((row) => ({ tenantId: row.tenant_id, slug: row.slug, name: row.tenant_name, role: row.role, isDemo: row.is_demo, timeZone: row.time_zone }));
  return { userId: claims.userId, email: first.email, name: first.name, memberships };
}

/** Only in server actions and route handlers. */
export async function startSession(claims: SessionClaims): Promise<void> {
  (await cookies()).set(sessionCookieName(), await sealSession(claims), sessionCookieOptions());
}

export async function endSession(): Promise<void> {
  (await cookies()).set(sessionCookieName(), "", { ...sessionCookieOptions(), maxAge: 0 });
}
