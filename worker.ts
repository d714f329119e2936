import { createEmbeddedBackground } from "@/inngest/embedded";
import { executing } from "@/inngest/executing";
import { createRemoteBackground } from "@/inngest/remote";
import { closeDatabase } from "@/lib/db/client";
import { findRoleProblem } from "@/lib/db/migrate";
import { ConfigurationError, env, required } from "@/lib/env";
import { type Heartbeat, startHeartbeat } from "@/lib/events/heartbeat";
import { type Relay, startRelay } from "@/lib/events/relay";
import { exitWithParent } from "@/lib/exit-with-parent";
import { log } from "@/lib/log";
import { resolveByDns } from "@/lib/webhooks/address";

/** A worker that stands by behind another one is ready too: it need not keep a start waiting. */
const STAND_BY_MS = 5_000;

/** Background work: the relay, the functions, and the executor unless a real Inngest is configured. The only process with ad-server code. */
async function main(): Promise<void> {
  const databaseUrl = required("DATABASE_URL");
  required("ENCRYPTION_KEY");
  const problem = await findRoleProblem(databaseUrl);
  if (problem) throw new ConfigurationError(`DATABASE_URL cannot be used: ${problem}.`);

  const needs = { ...executing, resolve: resolveByDns };
  const { isInngestRemote, WORKER_PORT, HOST, EXIT_WITH_PARENT } = env();
  const background = isInngestRemote
    ? createRemoteBackground({ needs, port: WORKER_PORT, host: HOST ?? "127.0.0.1" })
    : createEmbeddedBackground({ needs, databaseUrl, onLockLost: (reason) => exitNow(`The executor's lock is lost: ${reason}.`) });
  let relay: Relay | undefined = undefined;
  const heartbeat: Heartbeat = await startHeartbeat({ log, info: () => ({ pid: process.pid, ...background.status(), relay: relay?.status() ?? "waiting" }) });

  let stopping: Promise<void> | undefined;
  const stop = (why: string) => {
    stopping ??= (async () => {
      log.info("The worker stops", { why });
      await relay?.stop();
      await background.stop();
      await heartbeat.stop();
      await closeDatabase();
      process.exit(0);
    })().catch((error: unknown) => exitNow("The worker could not stop in order.", error));
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop(signal));
  if (EXIT_WITH_PARENT) exitWithParent(() => stop("its parent is gone"));

  const announceReady = () => process.send?.({ type: "ready" });
  const standingBy = setTimeout(announceReady, STAND_BY_MS);
  await background.start();
  clearTimeout(standingBy);
  if (stopping) return;
  relay = await startRelay({ send: (events) => background.send(events), log: log.child({ part: "relay" }) });
  announceReady();
  log.info("The worker runs", background.status());
}

/** No clean-up: whoever takes over finds everything in the database. */
function exitNow(message: string, error?: unknown): never {
  log.error(message, error === undefined ? {} : { error });
  process.exit(1);
}

process.on("uncaughtException", (error) => exitNow("The worker met an error that nothing caught.", error));
process.on("unhandledRejection", (error) => exitNow("The worker met a rejection that nothing handled.", error));

main().catch((error: unknown) => {
  if (!(error instanceof ConfigurationError)) exitNow("The worker could not start.", error);
  // The configuration may be what is wrong: the log itself reads it.
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level: "error", message: error.message })}\n`);
  process.exit(1);
});
