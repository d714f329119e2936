import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { closeDatabase } from "@/lib/db/client";
import { ConfigurationError, parseEnvironment } from "@/lib/env";
import { buildIfNeeded } from "./build";
import { superviseChild, type Child } from "./children";
import { seedDemo } from "./seed-demo";
import { startEmbeddedPostgres, type EmbeddedDatabase } from "./embedded-postgres";
import { assertDemoBoundary, prepareDatabase, StartRefused } from "./prepare-database";
import { waitForConnectionTests, waitForHealth } from "./start-wait";

// The embedded database's library ends the process on a signal by itself; here the order of ending matters.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.removeAllListeners(signal);

const say = (line: string) => console.log(line);
const children: Child[] = [];
let database: EmbeddedDatabase | undefined;
let pidFile: string | undefined;
let isStopping = false;

async function main(): Promise<void> {
  const isEmbedded = !process.env.DATABASE_URL;
  // An empty variable counts as unset, here as in lib/env.ts.
  process.env.DEMO ||= isEmbedded ? "1" : "0";
  Object.assign(process.env, { NODE_ENV: "production" });
  const env = parseEnvironment(process.env);
  const dataDir = path.resolve(env.DATA_DIR);
  if (env.DEMO && !isLoopback(env.publicUrl)) throw new StartRefused(`Demo mode serves this machine only: PUBLIC_URL ${env.publicUrl} is not a loopback address. Set DEMO=0 for production.`);
  if (env.DEMO) useDemoSecrets(dataDir);
  for (const name of ["ENCRYPTION_KEY", "AUTH_SECRET"] as const) if (!process.env[name]) throw new StartRefused(`${name} is not set. Outside demo mode it must be; openssl rand -hex 32 makes one.`);
  claimDataDir(dataDir);
  buildIfNeeded(say);

  if (isEmbedded) {
    database = await startEmbeddedPostgres({ directory: path.join(dataDir, "postgres"), database: "greenlight", appRole: "greenlight_app", isDurable: true });
    process.env.DATABASE_URL = database.appUrl;
    process.env.DATABASE_ADMIN_URL = database.adminUrl;
  }
  const { DATABASE_URL: appUrl = "", DATABASE_ADMIN_URL: adminUrl } = process.env;
  await prepareDatabase(appUrl, adminUrl);
  await assertDemoBoundary(env.DEMO);

  if (env.DEMO) {
    const simulatorUrl = `http://127.0.0.1:${env.SIM_PORT}`;
    await startChild("ad server simulator", "simulators/gam/main.ts", { SIM_PORT: String(env.SIM_PORT), DATA_DIR: dataDir }, "listening");
    process.env.GAM_SIMULATOR_URL = simulatorUrl;
    await seedDemo({ adminUrl: adminUrl ?? "", simulatorUrl, dataDir, say });
  }
  await closeDatabase();

  // The owner's connection is for migrations alone: neither web nor worker inherits it.
  const shared = { DATABASE_ADMIN_URL: "" };
  const worker = startChild("worker", "worker.ts", shared, "ready");
  const web = startChild("web process", "server.ts", shared, "listening");
  await Promise.all([worker, web]);
  await waitForHealth(env.HOST, env.PORT);
  if (env.DEMO && !(await waitForConnectionTests())) say("The demo's connections are not tested yet; see Connections in the app.");
  say(env.DEMO ? demoBlock(env.publicUrl, env.SIM_PORT) : `\nGreenlight is ready at ${env.publicUrl}\n  health   ${env.publicUrl}/health\n  sign in  ${env.publicUrl}/sign-in   (npm run create-admin makes the first administrator; with the embedded database, before npm start)\n`);
}

async function startChild(name: string, file: string, childEnv: Record<string, string>, readyMessage: string): Promise<void> {
  const child = superviseChild({ name, file, env: childEnv, readyMessage }, say);
  children.unshift(child);
  await child.ready;
}

function isLoopback(url: string): boolean {
  return ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname);
}

/** Demo secrets live beside the demo's data and are made on the first start. */
function useDemoSecrets(dataDir: string): void {
  const file = path.join(dataDir, "demo-secrets.json");
  mkdirSync(dataDir, { recursive: true });
  if (process.getuid?.() === 0) chmodSync(dataDir, 0o711);
  if (!existsSync(file)) writeFileSync(file, JSON.stringify({ ENCRYPTION_KEY: randomBytes(32).toString("hex"), AUTH_SECRET: randomBytes(32).toString("hex") }), { mode: 0o600 });
  const secrets = JSON.parse(readFileSync(file, "utf8")) as Record<"ENCRYPTION_KEY" | "AUTH_SECRET", string>;
  process.env.ENCRYPTION_KEY ||= secrets.ENCRYPTION_KEY;
  process.env.AUTH_SECRET ||= secrets.AUTH_SECRET;
}

/** One start per data folder. A note left by a process that was killed is taken over. */
function claimDataDir(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true });
  const file = path.join(dataDir, "start.pid");
  const other = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  if (other > 0 && other !== process.pid && isStartProcess(other)) throw new StartRefused(`Greenlight already runs in ${dataDir} (pid ${other}). Stop it first, or set DATA_DIR, PORT and SIM_PORT to others.`);
  writeFileSync(file, String(process.pid));
  pidFile = file;
}

function isStartProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync("/proc/self/cmdline") || readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("scripts/start.ts");
  } catch {
    return false;
  }
}

function demoBlock(url: string, simPort: number): string {
  return `
Greenlight is ready: ${url}
  Demo mode: two demo publishers and a simulated ad server; nothing real is booked.

  Staff sign in    ${url}/sign-in
                   admin@demo.example · trafficker@demo.example · viewer@demo.example
                   password: demo-password            (second publisher: admin@other.example)
  Buyer's token    demo-acme-outdoor-v1               (second publisher: demo-other-publisher-v1)
  Ad server        http://127.0.0.1:${simPort}/__sim/state

  A buyer's first call, with the official client (in this folder):
    npx adcp ${url}/mcp get_products '{"buying_mode":"brief","brief":"homepage display and video"}' --auth demo-acme-outdoor-v1

  Ctrl-C stops everything; a second npm start finds its data again.
`;
}

/** Longer than children and database take to end in order. */
const STOP_DEADLINE_MS = 30_000;

async function stop(exitCode: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  // A database whose files were taken away never reports its end.
  setTimeout(() => process.exit(exitCode || 1), STOP_DEADLINE_MS).unref();
  await Promise.all(children.map((child) => child.stop()));
  await closeDatabase().catch(() => undefined);
  await database?.stop().catch(() => undefined);
  if (pidFile) rmSync(pidFile, { force: true });
  process.exit(exitCode);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {
  if (!isStopping) say("\nStopping …");
  void stop(0);
});

// start.mjs has ended, whatever ended it.
process.on("disconnect", () => void stop(0));

main().catch((error: unknown) => {
  const isReadable = error instanceof StartRefused || error instanceof ConfigurationError;
  console.error(isReadable ? error.message : error instanceof Error ? `Greenlight could not start: ${error.message}` : error);
  void stop(1);
});
