import { z } from "zod";
import { serviceAccountSchema, type ServiceAccount } from "./accounts";
import type { JsonObject } from "./json";
import { DurableLog } from "./log";
import type { ReportRun } from "./resources/reports";
import { buildSeed, seedNetworks } from "./seed";
import { collections, rowSchema, Table, type Collection, type Row } from "./table";

const COMPACT_AT_BYTES = 64 * 1024 * 1024;

const collectionSchema = z.enum(collections);
const recordSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("rows"),
    network: z.string(),
    put: z.array(z.tuple([collectionSchema, rowSchema])),
    remove: z.array(z.tuple([collectionSchema, z.string()])),
  }),
  z.object({ type: z.literal("account"), account: serviceAccountSchema }),
  z.object({ type: z.literal("reset"), network: z.string() }),
]);
type ChangeRecord = z.infer<typeof recordSchema>;

const snapshotSchema = z.object({
  networks: z.record(z.string(), z.object({
    counters: z.record(z.string(), z.number()),
    rows: z.array(z.tuple([collectionSchema, rowSchema])),
  })),
  accounts: z.array(serviceAccountSchema),
});

export class NetworkState {
  readonly tables: Readonly<Record<Collection, Table>>;
  readonly counters = new Map<Collection, number>();
  /** Results of reports by their id, as long as the process lives. */
  readonly reportRuns = new Map<string, ReportRun>();
  /** Rows that differ from the seed, by collection and name: what a snapshot must hold. */
  readonly written = new Map<string, Collection>();

  constructor(readonly code: string, readonly resource: JsonObject, seed: Iterable<readonly [Collection, Row]>) {
    const tables: Partial<Record<Collection, Table>> = {};
    for (const collection of collections) tables[collection] = new Table(collection);
    this.tables = z.record(collectionSchema, z.instanceof(Table)).parse(tables);
    for (const [collection, row] of seed) {
      this.tables[collection].put(row);
      this.raiseCounter(collection, row.name);
    }
  }

  raiseCounter(collection: Collection, name: string): void {
    const id = Number(name.slice(name.lastIndexOf("/") + 1));
    if (Number.isSafeInteger(id) && id > (this.counters.get(collection) ?? 0)) this.counters.set(collection, id);
  }

  put(collection: Collection, row: Row): void {
    this.tables[collection].put(row);
    this.written.set(row.name, collection);
    if (collection !== "associations") this.raiseCounter(collection, row.name);
  }

  remove(collection: Collection, name: string): void {
    this.tables[collection].delete(name);
    this.written.delete(name);
  }
}

/** First id of each kind in a fresh network, of the magnitude that live networks show. */
const firstIds: Record<Collection, number> = {
  users: 244_860_112,
  companies: 4_731_208_455,
  adUnits: 21_861_204_107,
  placements: 31_904_288,
  customTargetingKeys: 13_870_421,
  customTargetingValues: 448_107_253_811,
  orders: 3_208_114_906,
  lineItems: 6_417_220_385,
  creatives: 138_442_907_116,
  associations: 0,
  reports: 5_902_117_340,
};

/** The changes of one request: visible at once, written as one record, undone together. */
export class Transaction {
  private readonly undo: (() => void)[] = [];
  private readonly puts = new Map<string, [Collection, Row]>();
  private readonly removals = new Map<string, [Collection, string]>();

  constructor(readonly network: NetworkState) {}

  nextId(collection: Collection): string {
    const last = this.network.counters.get(collection) ?? firstIds[collection];
    const id = last + 1 + (last % 7);
    this.network.counters.set(collection, id);
    return String(id);
  }

  put(collection: Collection, row: Row): void {
    const before = this.network.tables[collection].get(row.name);
    const wasWritten = this.network.written.has(row.name);
    this.network.put(collection, row);
    this.puts.set(row.name, [collection, row]);
    this.removals.delete(row.name);
    this.undo.push(() => {
      if (before) this.network.tables[collection].put(before);
      else this.network.tables[collection].delete(row.name);
      if (!wasWritten) this.network.written.delete(row.name);
    });
  }

  remove(collection: Collection, name: string): void {
    const before = this.network.tables[collection].get(name);
    if (!before) return;
    this.network.remove(collection, name);
    this.puts.delete(name);
    this.removals.set(name, [collection, name]);
    this.undo.push(() => this.network.put(collection, before));
  }

  /** What was put so far. */
  get written(): [Collection, Row][] {
    return [...this.puts.values()];
  }

  get hasChanges(): boolean {
    return this.undo.length > 0;
  }

  rollBack(): void {
    for (const undo of this.undo.reverse()) undo();
    this.undo.length = 0;
  }

  toRecord(): ChangeRecord {
    return { type: "rows", network: this.network.code, put: [...this.puts.values()], remove: [...this.removals.values()] };
  }
}

export class Store {
  readonly networks = new Map<string, NetworkState>();
  readonly accounts = new Map<string, ServiceAccount>();
  private log: DurableLog | undefined;

  /** Without a directory everything is in memory. */
  constructor(private readonly options: { directory?: string; adUnits: number }) {
    for (const { code } of seedNetworks) this.seed(code);
    if (options.directory === undefined) return;
    const { log, snapshot, records } = DurableLog.open(options.directory);
    if (snapshot !== undefined) this.load(snapshotSchema.parse(snapshot));
    for (const record of records) this.replay(recordSchema.parse(record));
    this.log = log;
    log.compact(this.toSnapshot());
  }

  private seed(code: string): void {
    const { resource, rows } = buildSeed(code, this.options.adUnits);
    this.networks.set(code, new NetworkState(code, resource, rows));
  }

  private load(snapshot: z.infer<typeof snapshotSchema>): void {
    for (const account of snapshot.accounts) this.accounts.set(account.email, account);
    for (const [code, { counters, rows }] of Object.entries(snapshot.networks)) {
      const network = this.networks.get(code);
      if (!network) continue;
      for (const [collection, row] of rows) network.put(collection, row);
      for (const collection of collections) {
        const counter = counters[collection];
        if (counter !== undefined) network.counters.set(collection, counter);
      }
    }
  }

  private replay(record: ChangeRecord): void {
    if (record.type === "account") {
      this.accounts.set(record.account.email, record.account);
    } else if (record.type === "reset") {
      this.seed(record.network);
    } else {
      const network = this.networks.get(record.network);
      if (!network) return;
      for (const [collection, row] of record.put) network.put(collection, row);
      for (const [collection, name] of record.remove) network.remove(collection, name);
    }
  }

  private toSnapshot(): z.infer<typeof snapshotSchema> {
    const networks: z.infer<typeof snapshotSchema>["networks"] = {};
    for (const network of this.networks.values()) {
      const rows: [Collection, Row][] = [];
      for (const [name, collection] of network.written) {
        const row = network.tables[collection].get(name);
        if (row) rows.push([collection, row]);
      }
      networks[network.code] = { counters: Object.fromEntries(network.counters), rows };
    }
    return { networks, accounts: [...this.accounts.values()] };
  }

  private append(record: ChangeRecord): void {
    if (!this.log) return;
    this.log.append(record);
    if (this.log.size > COMPACT_AT_BYTES) this.log.compact(this.toSnapshot());
  }

  /** Writes the transaction's record; only then may its request be answered. */
  commit(transaction: Transaction): void {
    if (transaction.hasChanges) this.append(transaction.toRecord());
  }

  saveAccount(account: ServiceAccount): void {
    this.accounts.set(account.email, account);
    this.append({ type: "account", account });
  }

  reset(code: string): void {
    this.seed(code);
    this.append({ type: "reset", network: code });
  }

  close(): void {
    this.log?.compact(this.toSnapshot());
    this.log?.close();
    this.log = undefined;
  }
}
