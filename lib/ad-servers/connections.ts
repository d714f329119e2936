import { randomInt } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { and, count, eq, isNull, ne, sql } from "drizzle-orm";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { encryptSecret } from "../crypto";
import { env } from "../env";
import { AppError, invariant } from "../errors";
import { FieldErrors } from "../field-errors";
import { fulfilments } from "../fulfilment/schema";
import { isUuid, newId } from "../ids";
import { announceChange } from "../live";
import { products, productTargets } from "../products/schema";
import { requestSyncJob } from "../sync-jobs/service";
import { tenants } from "../tenants/schema";
import { type ConnectionInput } from "./input";
import { AD_SERVER_KINDS, adServerDeclaration } from "./registry";
import { adapterConfigs } from "./schema";
import { type AdServerDeclaration } from "./types";

/** Bases stay this far below 2^31, so that a connection can number its orders for ever (external order ids are int32). */
const LARGEST_BASE = 2 ** 31 - 2 ** 27;

type Row = typeof adapterConfigs.$inferSelect;

/**
 * Makes or changes a connection. What the test vouches for (network, credentials, currency, zone) makes it unverified again and
 * queues the test in this transaction; `testJobId` is null when nothing of that changed. Credentials are stored encrypted and
 * never read back to anyone. Throws VALIDATION_ERROR with `details.fieldErrors`, REFERENCE_NOT_FOUND, CONFLICT, INVALID_STATE.
 */
export async function saveConnection(ctx: Ctx, input: ConnectionInput): Promise<{ id: string; version: number; testJobId: string | null }> {
  requirePermission(ctx.actor, "connection.edit");
  const existing = input.id === undefined ? undefined : await lockConnection(ctx, input.id);
  if (existing && existing.version !== input.version) {
    throw new AppError("CONFLICT", "This connection was saved by somebody else while you were editing it. Reload the page to see it as it is now.", { suggestion: "Reload, then make your change again." });
  }
  const errors = new FieldErrors();
  if (!AD_SERVER_KINDS.includes(input.kind)) errors.add("kind", "Choose an ad server.");
  errors.throwIfAny();
  const declaration = adServerDeclaration(input.kind);
  const config = declaration.connectionSchema.safeParse(input.config);
  if (!config.success) errors.addIssues("config", config.error);
  await checkName(ctx, input, errors);
  const credentials = input.credentials?.trim() ?? "";
  const hint = credentials === "" ? null : readHint(declaration, credentials, errors);
  if (!existing) {
    if (credentials === "") errors.add("credentials", "Paste the key or choose its file: without it nothing can be tested.");
    await checkMode(ctx, input, errors);
  } else await checkChange(ctx, existing, input, declaration, config.data, errors);
  errors.throwIfAny();
  invariant(config.success, "a config that is not valid was refused above");

  const id = existing?.id ?? newId(ctx.now.getTime());
  const version = (existing?.version ?? 0) + 1;
  const mustTest = !existing || hint !== null || existing.currency !== input.currency || existing.timeZone !== input.timeZone || !isDeepStrictEqual(declaration.connectionSchema.safeParse(existing.config).data, config.data);
  const fields = {
    name: input.name, currency: input.currency, timeZone: input.timeZone, config: config.data, version, updatedAt: ctx.now,
    ratePerSecond: input.ratePerSecond ?? existing?.ratePerSecond ?? declaration.defaultRatePerSecond[input.mode],
    ...(hint === null ? {} : { credentialsEncrypted: encryptSecret(credentials, `adapter_configs:${ctx.tenantId}:${id}`), credentialsHint: hint }),
    ...(mustTest ? { status: "unverified" as const, verifiedAt: null } : {}),
  };
  const [saved] = existing
    ? await ctx.db.update(adapterConfigs).set(fields).where(own(ctx, id)).returning()
    : await ctx.db.insert(adapterConfigs).values({ ...fields, tenantId: ctx.tenantId, id, kind: input.kind, mode: input.mode, externalIdBase: randomInt(1, LARGEST_BASE), createdAt: ctx.now }).returning();
  if (!saved) throw new Error(`Invariant broken: connection ${id} vanished while it was saved`);

  await recordAudit(ctx, {
    action: existing ? "connection.updated" : "connection.created", objectKind: "connection", objectId: id,
    summary: `${existing ? "Changed" : "Created"} connection “${input.name}”${existing && hint !== null ? " and replaced its credentials" : ""}`,
    before: existing && describe(existing), after: describe(saved),
  });
  const testJobId = mustTest ? (await requestSyncJob(ctx, { adapterConfigId: id, kind: "connection_test" })).id : null;
  announceChange(ctx, "connection", id);
  return { id, version, testJobId };
}

/** Puts a connection out of use. Refused while products are mapped to it or orders run through it. */
export async function archiveConnection(ctx: Ctx, input: { id: string }): Promise<void> {
  requirePermission(ctx.actor, "connection.edit");
  const connection = await lockConnection(ctx, input.id);
  const [mapped] = await ctx.db.select({ count: count() }).from(productTargets)
    .innerJoin(products, and(eq(products.tenantId, productTargets.tenantId), eq(products.id, productTargets.productId), isNull(products.archivedAt)))
    .where(and(eq(productTargets.tenantId, ctx.tenantId), eq(productTargets.adapterConfigId, connection.id)));
  if (mapped && mapped.count > 0) throw new AppError("INVALID_STATE", `${mapped.count} ${mapped.count === 1 ? "product is" : "products are"} mapped to this connection. Map them to another one first.`);
  const running = await countOrders(ctx, connection.id, "open");
  if (running > 0) throw new AppError("INVALID_STATE", `${running} ${running === 1 ? "order runs" : "orders run"} through this connection. Wait until they have ended, or cancel them.`);
  await ctx.db.update(adapterConfigs).set({ archivedAt: ctx.now, version: connection.version + 1, updatedAt: ctx.now }).where(own(ctx, connection.id));
  await recordAudit(ctx, { action: "connection.archived", objectKind: "connection", objectId: connection.id, summary: `Archived connection “${connection.name}”` });
  announceChange(ctx, "connection", connection.id);
}

async function lockConnection(ctx: Ctx, id: string): Promise<Row> {
  const [connection] = isUuid(id) ? await ctx.db.select().from(adapterConfigs).where(and(own(ctx, id), isNull(adapterConfigs.archivedAt))).for("update") : [];
  if (!connection) throw new AppError("REFERENCE_NOT_FOUND", "This connection does not exist.");
  return connection;
}

async function checkName(ctx: Ctx, input: ConnectionInput, errors: FieldErrors): Promise<void> {
  const others = await ctx.db.select({ id: adapterConfigs.id }).from(adapterConfigs)
    .where(and(eq(adapterConfigs.tenantId, ctx.tenantId), sql`lower(${adapterConfigs.name}) = lower(${input.name})`, isNull(adapterConfigs.archivedAt)));
  if (others.some(({ id }) => id !== input.id)) errors.add("name", "Another connection has this name.");
}

/** A connection belongs to one world for ever: the demo's orders must never reach a live network. */
async function checkMode(ctx: Ctx, input: ConnectionInput, errors: FieldErrors): Promise<void> {
  if (input.mode !== "live") return;
  const [tenant] = await ctx.db.select({ isDemo: tenants.isDemo }).from(tenants).where(eq(tenants.id, ctx.tenantId));
  if (env().DEMO) errors.add("mode", "Demo mode has no live connections: it runs on the simulator alone.");
  else if (!tenant || tenant.isDemo) errors.add("mode", "A demo publisher has simulated connections only.");
}

async function checkChange(ctx: Ctx, existing: Row, input: ConnectionInput, declaration: AdServerDeclaration, config: Record<string, unknown> | undefined, errors: FieldErrors): Promise<void> {
  if (input.kind !== existing.kind) errors.add("kind", "The ad server of a connection cannot change. Make a new connection.");
  if (input.mode !== existing.mode) errors.add("mode", "Live and simulated connections are two things for ever. Make a new connection.");
  const ordered = await countOrders(ctx, existing.id, "all");
  if (config && ordered > 0 && declaration.networkKey(config) !== declaration.networkKey(existing.config)) {
    errors.add("config", `${ordered} ${ordered === 1 ? "order was" : "orders were"} placed in network ${declaration.networkKey(existing.config)} through this connection. Make a new connection for another network.`);
  }
  if (input.currency === existing.currency) return;
  const [mapped] = await ctx.db.select({ count: count() }).from(productTargets).where(and(eq(productTargets.tenantId, ctx.tenantId), eq(productTargets.adapterConfigId, existing.id)));
  if (ordered > 0 || (mapped && mapped.count > 0)) errors.add("currency", "Products or orders are priced in this currency. Make a new connection for another one.");
}

async function countOrders(ctx: Ctx, id: string, which: "open" | "all"): Promise<number> {
  const [row] = await ctx.db.select({ count: count() }).from(fulfilments)
    .where(and(eq(fulfilments.tenantId, ctx.tenantId), eq(fulfilments.adapterConfigId, id), which === "open" ? ne(fulfilments.state, "ended") : undefined));
  return row?.count ?? 0;
}

function readHint(declaration: AdServerDeclaration, credentials: string, errors: FieldErrors): string | null {
  try {
    return declaration.parseCredentials(credentials).hint;
  } catch (error) {
    errors.addError("credentials", error);
    return null;
  }
}

function own(ctx: Ctx, id: string) {
  return and(eq(adapterConfigs.tenantId, ctx.tenantId), eq(adapterConfigs.id, id));
}

/** What the audit keeps of a connection: never its credentials. */
function describe(row: Row): Record<string, unknown> {
  const { name, kind, mode, status, currency, timeZone, config, ratePerSecond, credentialsHint } = row;
  return { name, kind, mode, status, currency, timeZone, config, ratePerSecond, credentials: credentialsHint };
}
