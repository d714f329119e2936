import { randomUUID } from "node:crypto";
import { takeRate } from "../ad-servers/rate";
import { type adapterConfigs } from "../ad-servers/schema";
import { type AdServerDeclaration, type AdServerDriver, AdServerError, type Call } from "../ad-servers/types";
import { type Actor, type Ctx } from "../context";
import { decryptSecret } from "../crypto";
import { type withTenant } from "../db/client";
import { type Log } from "../log";
import { REQUEST_DEADLINE_MS } from "./policy";

/** What execution needs from outside. Tests pass their own ad server, their own time, and a database that dies under them. */
export type Executing = {
  transact: typeof withTenant;
  declaration(kind: string): AdServerDeclaration;
  driver(kind: string): AdServerDriver;
  baseUrl(kind: string, mode: "live" | "simulated"): string;
  now(): Date;
  log: Log;
};

export const GREENLIGHT: Actor = { kind: "system", label: "Greenlight" };

/** What any background work needs. */
export type Transacting = Pick<Executing, "transact" | "now" | "log">;

/** One transaction of background work for one tenant. */
export function inTenant<T>(executing: Transacting, tenantId: string, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  return executing.transact(tenantId, (db) => work({ db, tenantId, actor: GREENLIGHT, now: executing.now(), log: executing.log }));
}

export type Connection = typeof adapterConfigs.$inferSelect;

/** Everything a driver may know. Decrypted credentials live in this object alone. Throws AdServerError when the connection is not usable. */
export function createCall(executing: Executing, connection: Connection, signal: AbortSignal, onProgress?: Call["onProgress"]): Call {
  const { tenantId, id, kind, mode, ratePerSecond } = connection;
  if (connection.archivedAt) throw unusable("connection_archived", `The connection “${connection.name}” is archived.`);
  if (!connection.credentialsEncrypted) throw unusable("no_credentials", `The connection “${connection.name}” has no credentials.`);
  const config = executing.declaration(kind).connectionSchema.safeParse(connection.config);
  if (!config.success) throw unusable("connection_config", `The settings of the connection “${connection.name}” are not valid.`);
  return {
    baseUrl: executing.baseUrl(kind, mode),
    connection: config.data,
    credentials: openCredentials(connection.credentialsEncrypted, `adapter_configs:${tenantId}:${id}`, connection.name),
    correlationId: randomUUID(),
    deadlineMs: REQUEST_DEADLINE_MS[mode],
    takeRate: () => takeRate({ tenantId, adapterConfigId: id, ratePerSecond }, signal),
    signal,
    now: executing.now,
    onProgress,
  };
}

function openCredentials(sealed: string, context: string, name: string): string {
  try {
    return decryptSecret(sealed, context);
  } catch {
    throw unusable("credentials_unreadable", `The credentials of the connection “${name}” do not open with this ENCRYPTION_KEY. Save them again.`);
  }
}

function unusable(code: string, message: string): AdServerError {
  return new AdServerError(code, message, { isPermanent: true, isAmbiguous: false });
}

/**
 * One piece of remote work with a real deadline, and every failure as an AdServerError: one that a driver did not foresee is
 * ambiguous, because the effect may have happened.
 * @param since from when the deadline counts, by performance.now(): before the start was noted, so that nobody is at it once others think so
 */
export async function callAdServer<T>(deadlineMs: number, work: (signal: AbortSignal) => Promise<T>, since = performance.now()): Promise<T | AdServerError> {
  const leftMs = deadlineMs - (performance.now() - since);
  if (leftMs <= 0) return new AdServerError("too_late", "Greenlight was too slow to ask the ad server in time.", { isPermanent: false, isAmbiguous: false });
  const deadline = new AbortController();
  const late = new AdServerError("deadline", `The ad server did not finish within ${deadlineMs / 1_000} s.`, { isPermanent: false, isAmbiguous: true });
  let timer: NodeJS.Timeout | undefined;
  const isOver = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(late);
      deadline.abort(late);
    }, leftMs);
  });
  try {
    return await Promise.race([work(deadline.signal), isOver]);
  } catch (error) {
    return toAdServerError(error);
  } finally {
    clearTimeout(timer);
  }
}

function toAdServerError(error: unknown): AdServerError {
  if (error instanceof AdServerError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AdServerError("unexpected", `Unexpected failure: ${message}`, { isPermanent: false, isAmbiguous: true, cause: error });
}
