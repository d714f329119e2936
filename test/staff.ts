import { and, desc, eq } from "drizzle-orm";
import { auditLog } from "@/lib/audit/schema";
import { type Ctx, type StaffRole } from "@/lib/context";
import { withTenant } from "@/lib/db/client";
import { AppError } from "@/lib/errors";
import { newId } from "@/lib/ids";
import { createLog } from "@/lib/log";

/** Runs `work` as a person with this role, in one transaction of the publisher. */
export async function asStaff<T>(tenantId: string, role: StaffRole, work: (ctx: Ctx) => Promise<T>, now = new Date()): Promise<T> {
  const actor = { kind: "user", userId: newId(), label: `Test ${role}`, role } as const;
  return withTenant(tenantId, (db) => work({ db, tenantId, actor, now, log: createLog() }));
}

/** The AppError that `promise` fails with. */
export async function failure(promise: Promise<unknown>): Promise<AppError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("It was expected to fail, and did not.");
}

/** The newest audit entry of a publisher about this kind of thing. */
export async function lastAudit(tenantId: string, objectKind: string) {
  const [entry] = await withTenant(tenantId, (tx) => tx.select().from(auditLog).where(and(eq(auditLog.tenantId, tenantId), eq(auditLog.objectKind, objectKind))).orderBy(desc(auditLog.id)).limit(1));
  return entry;
}
