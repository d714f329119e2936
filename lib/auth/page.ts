import { headers } from "next/headers";
import { forbidden, notFound, redirect } from "next/navigation";
import { cache } from "react";
import { type Ctx } from "../context";
import { withTenant } from "../db/client";
import { log } from "../log";
import { PATH_HEADER } from "./path-header";
import { hasPermission, type Permission } from "./permissions";
import { type Membership, readStaff, type StaffSession } from "./session";

export type PageAccess = {
  staff: StaffSession;
  publisher: Membership;
  tenantId: string;
  role: Membership["role"];
  timeZone: string;
  can(permission: Permission): boolean;
  /** Runs reads (and changes) in one transaction behind this publisher's wall. */
  run<T>(work: (ctx: Ctx) => Promise<T>): Promise<T>;
};

/**
 * The only door to a page of a publisher. Nobody signed in: to the sign-in page and back. Not a member, or no such publisher: not
 * found, alike. A member whose role may not: the denied page (403).
 */
export async function requirePage(publisherSlug: string, permission: Permission): Promise<PageAccess> {
  const access = await openPublisher(publisherSlug);
  if (!access.can(permission)) forbidden();
  return access;
}

const openPublisher = cache(async (publisherSlug: string): Promise<PageAccess> => {
  const staff = await readStaff();
  if (!staff) redirect(`/sign-in?callbackUrl=${encodeURIComponent((await headers()).get(PATH_HEADER) ?? "/")}`);
  const publisher = staff.memberships.find((membership) => membership.slug === publisherSlug);
  if (!publisher) notFound();
  const { role, tenantId, timeZone } = publisher;
  return { staff, publisher, tenantId, role, timeZone, can: (permission) => hasPermission(role, permission), run: (work) => runAs(staff, publisher, work) };
});

/** One transaction of this person in this publisher. */
export async function runAs<T>(staff: StaffSession, publisher: Membership, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  const actor = { kind: "user", userId: staff.userId, label: staff.name, role: publisher.role } as const;
  return withTenant(publisher.tenantId, (db) => work({ db, tenantId: publisher.tenantId, actor, now: new Date(), log: log.child({ tenantId: publisher.tenantId, userId: staff.userId }) }));
}
