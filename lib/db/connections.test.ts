import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { sql } from "drizzle-orm";
import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { freePort } from "@/scripts/embedded-postgres";
import { useTestDatabase } from "@/test/db";
import { waitFor } from "@/test/wait";
import { principals } from "../buyers/schema";
import { env } from "../env";
import { newId } from "../ids";
import { tenants } from "../tenants/schema";
import { closeDatabase, listen, lookUp, sendAlong, type Tx, withSavepoint, withTenant, withWorkerRole } from "./client";
import { Connections } from "./connections";
import { driverCode } from "./driver-code";

const database = useTestDatabase();

async function makeTenant(): Promise<string> {
  const id = newId();
  await withTenant(id, (tx) => tx.insert(tenants).values({ id, slug: `t-${id}`, name: "T", timeZone: "UTC", defaultCurrency: "USD" }));
  return id;
}

const addBuyer = (tx: Tx, tenantId: string, name: string) => tx.insert(principals).values({ tenantId, id: newId(), name });
const names = async (tenantId: string) => (await withTenant(tenantId, (tx) => tx.select({ name: principals.name }).from(principals).orderBy(principals.name))).map(({ name }) => name);
const pidOf = async (tx: Tx) => Number((await tx.execute(sql`select pg_backend_pid() as pid`))[0]?.pid);

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function asAdmin<T>(work: (admin: postgres.Sql) => Promise<T>): Promise<T> {
  const admin = postgres(database.adminUrl, { max: 1, onnotice: () => undefined });
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

/** Ends the server's side of a connection, and waits until it is gone: its socket closes last. */
async function cut(pid: number): Promise<void> {
  await asAdmin((admin) => admin`select pg_terminate_backend(${pid}, 60000)`);
  await waitFor("the server's process to end", () => !isAlive(pid));
  await pause(50);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return driverCode(error) !== "ESRCH";
  }
}

function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

const countConnections = (name: string) => asAdmin(async (admin) => Number((await admin`select count(*) from pg_stat_activity where datname = current_database() and application_name = ${name}`)[0]?.count));

describe("transactions on the pool", () => {
  test("more at once than there are connections: each has its turn, on a connection of its own", async () => {
    const tenantId = await makeTenant();
    await Promise.all(Array.from({ length: 60 }, (_, index) => withTenant(tenantId, async (tx) => {
      const pid = await pidOf(tx);
      await addBuyer(tx, tenantId, `b${index}`);
      expect(await pidOf(tx)).toBe(pid);
    })));
    expect(await names(tenantId)).toHaveLength(60);
  });

  test("failures give their connection back, without what they did", async () => {
    const tenantId = await makeTenant();
    const results = await Promise.allSettled(Array.from({ length: 60 }, (_, index) => withTenant(tenantId, async (tx) => {
      await addBuyer(tx, tenantId, `b${index}`);
      if (index % 2 === 0) throw new Error("changed its mind");
      await tx.execute(sql`select 1 / 0`);
    })));
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(60);
    expect(await names(tenantId)).toEqual([]);
  });

  test("what a lost connection leaves undone fails, and nothing of it goes on elsewhere", async () => {
    const tenantId = await makeTenant();
    for (const isStatementUnderWay of [false, true]) {
      const lost = withTenant(tenantId, async (tx) => {
        await addBuyer(tx, tenantId, "before");
        const pid = await pidOf(tx);
        if (isStatementUnderWay) await Promise.all([tx.execute(sql`select pg_sleep(10)`), cut(pid)]);
        else await cut(pid);
        await addBuyer(tx, tenantId, "after");
      });
      await expect(lost.catch((error: unknown) => driverCode(error))).resolves.toMatch(/^(CONNECTION_CLOSED|57P01|ECONNRESET)$/);
    }
    expect(await names(tenantId)).toEqual([]);
    await Promise.all(Array.from({ length: 20 }, (_, index) => withTenant(tenantId, (tx) => addBuyer(tx, tenantId, `b${index}`))));
    expect(await names(tenantId)).toHaveLength(20);
  });

  test("idle connections that the server ended are replaced", async () => {
    const tenantId = await makeTenant();
    const pids = await Promise.all(Array.from({ length: 8 }, () => withTenant(tenantId, async (tx) => {
      await tx.execute(sql`select pg_sleep(0.05)`);
      return pidOf(tx);
    })));
    for (const pid of new Set(pids)) await cut(pid);
    await Promise.all(Array.from({ length: 20 }, (_, index) => withTenant(tenantId, (tx) => addBuyer(tx, tenantId, `b${index}`))));
    expect(await names(tenantId)).toHaveLength(20);
  });

  test("a failure that somebody passed over is told at the end", async () => {
    const tenantId = await makeTenant();
    await expect(withTenant(tenantId, async (tx) => {
      await addBuyer(tx, tenantId, "a");
      await tx.execute(sql`select 1 / 0`).catch(() => undefined);
    })).rejects.toThrow("Nothing was stored");
    await expect(withTenant(tenantId, async (tx) => {
      sendAlong(tx, sql`select 1 / 0`);
      await addBuyer(tx, tenantId, "b");
    })).rejects.toMatchObject({ code: "22012" });
    expect(await names(tenantId)).toEqual([]);
  });

  test("savepoints, also one in another, undo what is theirs", async () => {
    const tenantId = await makeTenant();
    await withTenant(tenantId, async (tx) => {
      await addBuyer(tx, tenantId, "kept");
      await withSavepoint(tx, async (outer) => {
        await addBuyer(outer, tenantId, "kept too");
        await expect(withSavepoint(outer, async (inner) => {
          await addBuyer(inner, tenantId, "undone");
          await inner.execute(sql`select 1 / 0`);
        })).rejects.toThrow();
      });
    });
    expect(await names(tenantId)).toEqual(["kept", "kept too"]);
  });

  test("a statement waits for a lock only as long as it may", async () => {
    const tenantId = await makeTenant();
    await withTenant(tenantId, (tx) => addBuyer(tx, tenantId, "a"));
    const lock = (tx: Tx) => tx.select().from(principals).for("update");
    const [locked, end] = [gate(), gate()];
    const first = withTenant(tenantId, async (tx) => {
      await lock(tx);
      locked.open();
      await end.opened;
    });
    await locked.opened;
    const second = withTenant(tenantId, lock, { lockWaitMs: 100 });
    await expect(second.catch((error: unknown) => driverCode(error))).resolves.toBe("55P03");
    end.open();
    await first;
  });

  test("closing waits for a transaction under way", async () => {
    const tenantId = await makeTenant();
    const begun = gate();
    const slow = withTenant(tenantId, async (tx) => {
      await pidOf(tx);
      begun.open();
      await tx.execute(sql`select pg_sleep(0.3)`);
      await addBuyer(tx, tenantId, "late");
    });
    await begun.opened;
    await closeDatabase();
    await waitFor("the server to let its connections go", async () => (await countConnections("greenlight")) === 0);
    await slow;
    expect(await names(tenantId)).toEqual(["late"]);
  });

  test("what a transaction was opened with ends with it, however it ends", async () => {
    const tenantId = await makeTenant();
    const ends = ["commit", "throw", "error"];
    await Promise.allSettled(Array.from({ length: 60 }, (_, index) => withTenant(tenantId, async (tx) => {
      await tx.execute(sql`select pg_sleep(0.01)`);
      if (ends[index % 3] === "throw") throw new Error("changed its mind");
      if (ends[index % 3] === "error") await tx.execute(sql`select 1 / 0`);
    }, { lockWaitMs: 77 })));
    const read = (tx: Tx) => tx.execute(sql`select coalesce(current_setting('app.tenant_id', true), '') as tenant, current_setting('lock_timeout') as wait, current_user as role`);
    const other = newId();
    const seen = await Promise.all(Array.from({ length: 60 }, async (_, index) => ({ index, row: (await (index % 2 === 0 ? withWorkerRole(read) : withTenant(other, read)))[0] })));
    for (const { index, row } of seen) {
      expect(row).toMatchObject({ tenant: index % 2 === 0 ? "" : other, wait: "0" });
      expect(row?.role === "greenlight_worker").toBe(index % 2 === 0);
    }
  });

  test("where a transaction cannot be opened, what travels with its opening changes nothing and sees nothing", async () => {
    const tenantId = await makeTenant();
    await withTenant(tenantId, (tx) => addBuyer(tx, tenantId, "there"));
    let seen: unknown[] = [];
    // What work makes of seeing nothing is not what its caller is told.
    const deceived = withTenant(`${tenantId}\0`, async (tx) => {
      if ((await tx.select().from(principals)).length === 0) throw new Error("Not found");
    });
    await expect(deceived.catch((error: unknown) => driverCode(error))).resolves.toBe("08P01");
    // A message that PostgreSQL cannot read: not even BEGIN runs.
    const unreadable = withTenant(`${tenantId}\0`, async (tx) => {
      seen = await tx.select().from(principals);
      await tx.update(principals).set({ name: "changed" });
      sendAlong(tx, sql`insert into principals (tenant_id, id, name) values (${tenantId}, ${newId()}, 'added')`);
    });
    await expect(unreadable.catch((error: unknown) => driverCode(error))).resolves.toBe("08P01");
    expect(seen).toEqual([]);
    // BEGIN runs, the rest of the opening does not.
    await expect(withTenant(tenantId, (tx) => addBuyer(tx, tenantId, "added"), { lockWaitMs: NaN }).catch((error: unknown) => driverCode(error))).resolves.toBe("22023");
    expect(await names(tenantId)).toEqual(["there"]);
  });

  test("a statement that the driver cannot write fails, also right behind the opening", async () => {
    const tenantId = await makeTenant();
    await expect(withTenant(tenantId, (tx) => tx.execute(sql`select ${sql.param(undefined)}::text`)).catch((error: unknown) => driverCode(error))).resolves.toBe("UNDEFINED_VALUE");
    const many = sql.join(Array.from({ length: 65_534 }, () => sql`${1}`), sql`, `);
    await expect(withTenant(tenantId, (tx) => tx.execute(sql`select 1 where 1 in (${many})`)).catch((error: unknown) => driverCode(error))).resolves.toBe("MAX_PARAMETERS_EXCEEDED");
    expect(await names(tenantId)).toEqual([]);
  });

  test("a statement that comes after its transaction's end goes nowhere", async () => {
    const tenantId = await makeTenant();
    const late: Promise<unknown>[] = [];
    const [inside, over] = [gate(), gate()];
    const add = async (tx: Tx) => {
      await over.opened;
      await addBuyer(tx, tenantId, "late");
    };
    for (const isFailing of [false, true]) {
      await withTenant(tenantId, async (tx) => {
        late.push(add(tx).catch((error: unknown) => error), withSavepoint(tx, add).catch((error: unknown) => error));
        await pidOf(tx);
        if (isFailing) throw new Error("changed its mind");
      }).catch(() => undefined);
    }
    // Transactions that such a statement could fall into.
    const others = Promise.all(Array.from({ length: 16 }, () => withTenant(tenantId, async (tx) => {
      await pidOf(tx);
      inside.open();
      await tx.execute(sql`select pg_sleep(0.3)`);
    })));
    await inside.opened;
    over.open();
    await others;
    for (const error of await Promise.all(late)) expect(error).toMatchObject({ cause: { message: expect.stringContaining("in a transaction that is over") as string } });
    expect(await names(tenantId)).toEqual([]);
  });
});

test("statements that the driver held back are not sent on a connection of its own making", async () => {
  await asAdmin((admin) => admin`create table held_back (id int)`);
  const connections = new Connections(database.adminUrl, 2, { connection: { application_name: "held back" } });
  const connection = await connections.take();
  const { client } = connection;
  const [row] = await client`select pg_backend_pid() as pid`;
  const outcomes = Promise.allSettled([
    client.unsafe("begin"),
    // Not prepared yet: what follows waits until the server has described it.
    client.unsafe("select pg_sleep($1::int)", [10], { prepare: true }),
    client.unsafe("insert into held_back values (1)"), client.unsafe("insert into held_back values ($1)", [2], { prepare: true }), client.unsafe("commit"),
  ]);
  await waitFor("it to sleep", () => asAdmin(async (admin) => (await admin`select 1 from pg_stat_activity where pid = ${Number(row?.pid)} and wait_event = 'PgSleep'`).length > 0));
  await cut(Number(row?.pid));
  expect((await outcomes).map(({ status }) => status)).toEqual(["fulfilled", ...Array.from({ length: 4 }, () => "rejected")]);
  await pause(200);
  expect(await countConnections("held back")).toBe(0);
  connections.give(connection, false);
  expect([...(await (await connections.take()).client`select id from held_back`)]).toEqual([]);
  expect(await countConnections("held back")).toBe(1);
  await asAdmin((admin) => admin`drop table held_back`);
});

/** PostgreSQL's "too many clients", which it says to some before and to others after it knows who they are. */
const fields = Buffer.from("SFATAL\0C53300\0Msorry, too many clients already\0\0");
const tooMany = Buffer.concat([Buffer.from("E"), Buffer.from(Uint32Array.of(fields.length + 4).buffer).swap32(), fields]);
const authenticated = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
const REFUSALS: [string, Buffer][] = [["whoever they are", tooMany], ["once it knows who they are", Buffer.concat([authenticated, tooMany])]];

describe("an address that accepts and hangs up, as a proxy does whose database is away,", () => {
  let accepted: number;
  let isBack: boolean;
  let refusal: Buffer | undefined;
  let proxy: Server;
  let url: string;

  beforeEach(async () => {
    accepted = 0;
    isBack = false;
    refusal = undefined;
    proxy = createServer((socket) => {
      accepted += 1;
      if (refusal) return void socket.end(refusal);
      if (!isBack) return void socket.destroy();
      const { hostname, port } = new URL(database.appUrl);
      const behind = connect(Number(port), hostname);
      for (const side of [socket, behind]) side.on("error", () => undefined);
      socket.pipe(behind).pipe(socket);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    url = Object.assign(new URL(database.appUrl), { hostname: "127.0.0.1", port: String((proxy.address() as AddressInfo).port) }).href;
  });
  afterEach(() => {
    env().DATABASE_URL = database.appUrl;
    proxy.close();
  });

  const lost = { code: expect.stringMatching(/^(CONNECTION_|ECONN|EPIPE)/) as string };

  test("is tried a few times for a transaction, not for ever", async () => {
    const away = new Connections(url, 2, {});
    await expect(away.take()).rejects.toMatchObject(lost);
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThanOrEqual(5);
    await away.end();
  });

  test("is tried a few times for a look-up, and used again once it is well", async () => {
    await closeDatabase();
    env().DATABASE_URL = url;
    const one = () => lookUp(z.object({ one: z.number() }), sql`select 1 as one`);
    for (let round = 0; round < 3; round += 1) {
      const results = await Promise.allSettled(Array.from({ length: 4 }, one));
      for (const result of results) expect(result).toMatchObject({ status: "rejected", reason: lost });
    }
    expect(accepted).toBeLessThanOrEqual(3 * 4 * 5);
    isBack = true;
    const before = accepted;
    await waitFor("the address to be used again", () => one().then(() => true, () => false));
    expect(await Promise.all(Array.from({ length: 20 }, one))).toEqual(Array.from({ length: 20 }, () => [{ one: 1 }]));
    // All connections, none of them lost for good.
    expect(accepted).toBe(before + 4);
    await closeDatabase();
  });

  test.each(REFUSALS)("that refuses every connection, %s, is tried once by who begins to listen, and left alone then", async (_when, answer) => {
    env().DATABASE_URL = url;
    refusal = answer;
    await expect(listen("greenlight_live", () => undefined)).rejects.toMatchObject({ code: "53300" });
    const tries = accepted;
    await pause(300);
    expect(accepted).toBe(tries);
  });

  test.each(REFUSALS)("that refuses every connection for a while, %s, is asked with pauses by who listened before", async (_when, answer) => {
    env().DATABASE_URL = url;
    isBack = true;
    let ready = 0;
    const stop = await listen("greenlight_live", () => undefined, () => (ready += 1));
    const before = accepted;
    const begunMs = Date.now();
    refusal = answer;
    await asAdmin((admin) => admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'greenlight listen greenlight_live'`);
    await waitFor("a few tries", () => accepted - before >= 5);
    await pause(500);
    expect(accepted - before).toBeLessThanOrEqual(6 + (Date.now() - begunMs) / 1_000);
    refusal = undefined;
    await waitFor("it to listen again", () => ready === 2);
    await stop();
  });

  test("is left alone once who listened has stopped", async () => {
    env().DATABASE_URL = url;
    isBack = true;
    const stop = await listen("greenlight_live", () => undefined);
    isBack = false;
    const before = accepted;
    await asAdmin((admin) => admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'greenlight listen greenlight_live'`);
    await waitFor("a pause", () => accepted - before >= 5);
    await stop();
    const tries = accepted;
    await pause(1_500);
    expect(accepted).toBe(tries);
  });

  test("is tried with pauses by who listens, and heard once it is well", async () => {
    env().DATABASE_URL = url;
    let heard = "";
    const begunMs = Date.now();
    const listening = listen("greenlight_live", (payload) => (heard = payload));
    await waitFor("a few tries", () => accepted >= 5);
    await pause(500);
    expect(accepted).toBeLessThanOrEqual(6 + (Date.now() - begunMs) / 1_000);
    isBack = true;
    const stop = await listening;
    await asAdmin((admin) => admin`select pg_notify('greenlight_live', 'well')`);
    await waitFor("the notification", () => heard === "well");
    await stop();
  });
});

test("a database that is away for many calls costs the pool nothing", async () => {
  const away = new Connections(`postgresql://nobody:x@127.0.0.1:${await freePort()}/none`, 2, {});
  for (let round = 0; round < 5; round += 1) {
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => away.take()));
    expect(results.map((result) => (result.status === "rejected" ? driverCode(result.reason) : result.status))).toEqual(Array.from({ length: 6 }, () => "ECONNREFUSED"));
  }
  await away.end();
  await expect(away.take()).rejects.toMatchObject({ code: "CONNECTION_ENDED" });

  const back = new Connections(database.appUrl, 2, {});
  const [first, second] = [await back.take(), await back.take()];
  const third = back.take();
  back.give(first, false);
  const made = await third;
  expect(made).not.toBe(first);
  expect([...(await made.client`select 1 as one`)]).toEqual([{ one: 1 }]);
  back.give(second, true);
  back.give(made, true);
  expect(await back.take()).toBe(made);
  back.give(made, true);
  await back.end();
});
