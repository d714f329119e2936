import { and, eq } from "drizzle-orm";
import { type ConnectionTestResult, adapterConfigs } from "../ad-servers/schema";
import { type AdServerDriver, type AdServerError } from "../ad-servers/types";
import { type Ctx } from "../context";
import { type Connection } from "../fulfilment/call";
import { retryBlockedForConnection } from "../fulfilment/blocked";

type Found = Awaited<ReturnType<AdServerDriver["testConnection"]>>;
type Check = ConnectionTestResult["checks"][number];

/** What a test found, in words; a currency that differs fails the connection, a time zone that differs is a warning. */
export function describeTest(connection: Pick<Connection, "currency" | "timeZone">, found: Found, testedAt: Date): ConnectionTestResult {
  const isCurrency = found.currency === connection.currency;
  const isZone = found.timeZone === connection.timeZone;
  const checks: Check[] = [
    ...found.notes,
    { name: "Currency", outcome: isCurrency ? "pass" : "fail", message: isCurrency ? `The network books in ${found.currency}.` : `The network books in ${found.currency}, but this connection is set to ${connection.currency}. Orders would be priced wrongly.` },
    { name: "Time zone", outcome: isZone ? "pass" : "warn", message: isZone ? `The network's days are those of ${found.timeZone}.` : `The network's time zone is ${found.timeZone}, this connection's is ${connection.timeZone}. Days of delivery will differ.` },
  ];
  return { checks, networkName: found.networkName, currency: found.currency, timeZone: found.timeZone, testedAt: testedAt.toISOString() };
}

/** False: the connection was changed while it was tested, so that the result says nothing about it. */
export async function saveTestResult(ctx: Ctx, connection: Connection, found: Found): Promise<boolean> {
  const lastTest = describeTest(connection, found, ctx.now);
  const isVerified = lastTest.checks.every(({ outcome }) => outcome !== "fail");
  // Before the connection's own row is written: media buys are locked before connections everywhere.
  if (isVerified) await retryBlockedForConnection(ctx, { adapterConfigId: connection.id });
  return save(ctx, connection, { lastTest, networkName: found.networkName, status: isVerified ? "verified" : "failed", verifiedAt: isVerified ? ctx.now : null });
}

/** What is refused for good fails the connection; trouble on the way leaves a verified one as it was. */
export async function saveTestError(ctx: Ctx, connection: Connection, error: AdServerError): Promise<boolean> {
  const lastTest: ConnectionTestResult = { checks: [{ name: "Connection", outcome: "fail", message: error.message }], testedAt: ctx.now.toISOString() };
  return save(ctx, connection, { lastTest, ...(error.options.isPermanent ? { status: "failed" as const, verifiedAt: null } : {}) });
}

async function save(ctx: Ctx, connection: Connection, set: Partial<typeof adapterConfigs.$inferInsert>): Promise<boolean> {
  const rows = await ctx.db.update(adapterConfigs).set(set)
    .where(and(eq(adapterConfigs.tenantId, ctx.tenantId), eq(adapterConfigs.id, connection.id), eq(adapterConfigs.version, connection.version)))
    .returning({ id: adapterConfigs.id });
  return rows.length > 0;
}
