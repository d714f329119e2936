import postgres from "postgres";
import { withTenant } from "@/lib/db/client";
import { type Executing } from "@/lib/fulfilment/call";
import { converge, type Steps } from "@/lib/fulfilment/converge";
import { log } from "@/lib/log";
import { type FakeAdServer } from "./fake-ad-server";

/**
 * Stands in for the durable executor, one process at a time: steps that are done are remembered, everything else is lost when the process is killed.
 * Time is virtual: a rest takes no time here, and moves the database's leases and starts into the past instead.
 */
export class World {
  offsetMs = 0;
  private admin: postgres.Sql | undefined;

  constructor(private readonly database: { adminUrl: string }) {}

  readonly now = (): Date => new Date(Date.now() + this.offsetMs);

  async pass(ms: number): Promise<void> {
    this.offsetMs += ms;
    this.admin ??= postgres(this.database.adminUrl, { max: 1, onnotice: () => undefined });
    const by = `${ms} milliseconds`;
    await this.admin`update fulfilments set lease_until = lease_until - ${by}::interval where lease_until is not null`;
    await this.admin`update fulfilment_operations set started_at = started_at - ${by}::interval where started_at is not null`;
  }

  async close(): Promise<void> {
    await this.admin?.end();
  }
}

const forever = new Promise<never>(() => undefined);

/** Passed by code on its way; the one whose number is up never gets further. */
export class Killer {
  passed = 0;
  isDead = false;
  readonly trace: string[] = [];
  private onKill: () => void = () => undefined;
  readonly killed: Promise<"killed">;

  /** @param at number of the point at which the process dies; 0: it lives */
  constructor(readonly at = 0) {
    this.killed = new Promise((resolve) => {
      this.onKill = () => resolve("killed");
    });
  }

  /** True when the process dies here. */
  reach(where: string): boolean {
    if (this.isDead) return true;
    this.passed += 1;
    this.trace.push(where);
    if (this.passed !== this.at) return false;
    this.isDead = true;
    this.onKill();
    return true;
  }

  /** For code outside transactions: what is dead never goes on. */
  readonly point = async (where: string): Promise<void> => {
    if (this.reach(where)) await forever;
  };

  /** A database whose client can die before a commit (nothing of it happened) and after (all of it did). */
  readonly transact: typeof withTenant = async (tenantId, work) => {
    if (this.isDead) return forever;
    const died = new Error("killed before the commit");
    try {
      const result = await withTenant(tenantId, async (tx) => {
        const value = await work(tx);
        if (this.reach("before a commit")) throw died;
        return value;
      });
      if (this.reach("after a commit")) return await forever;
      return result;
    } catch (error) {
      if (error === died) return forever;
      throw error;
    }
  };
}

export function makeExecuting(world: World, server: FakeAdServer, killer = new Killer()): Executing {
  return { transact: killer.transact, declaration: () => server.declaration, driver: () => server.driver, baseUrl: () => "http://fake.invalid", now: world.now, log };
}

export class DurableRun {
  private readonly memory = new Map<string, string>();
  readonly rests: { name: string; ms: number }[] = [];

  constructor(private readonly world: World, readonly ref: { tenantId: string; fulfilmentId: string; runId: string }) {}

  /** Runs until the function ends or its process is killed. */
  async proceed(executing: Executing, killer: Killer, onRest: (name: string, ms: number) => Promise<void> = async () => undefined): Promise<{ because: string } | "killed"> {
    const rest = async (name: string, ms: number) => this.remember(name, async () => {
      this.rests.push({ name, ms });
      await onRest(name, ms);
      await this.world.pass(ms);
      return null;
    }).then(() => undefined);
    const steps: Steps = {
      run: (name, work) => this.remember(name, async () => {
        const result = await work();
        await killer.point(`before ${name} is remembered`);
        return result;
      }),
      sleep: rest,
      park: rest,
    };
    return Promise.race([converge(steps, executing, this.ref), killer.killed]);
  }

  private async remember<T>(name: string, work: () => Promise<T>): Promise<T> {
    const known = this.memory.get(name);
    if (known === undefined) this.memory.set(name, JSON.stringify(await work()));
    return JSON.parse(this.memory.get(name) ?? "null") as T;
  }
}
