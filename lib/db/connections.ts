import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { connectionLost, sockets } from "./sockets";

type Options = NonNullable<Parameters<typeof postgres>[1]>;

/** After this long, to twice as long, a connection makes room for a new one: what the server keeps for its prepared statements goes with it. */
const LIFETIME_MS = 30 * 60_000;

/** How long `end` waits for those who still use a connection, and for the server to close one that nobody uses. */
const END_WAIT_S = 5;

/** One connection for one user at a time: what is sent arrives in that order, and nobody else's comes between. */
export type Connection = {
  readonly client: postgres.Sql;
  /** It broke: whatever was not answered fails, and nothing more may be sent. */
  isLost: boolean;
  readonly endsAtMs: number;
};

/**
 * Connections that are taken and given back. The driver's own pool hands one to a transaction only once the server has answered to BEGIN; from
 * here on BEGIN travels with what follows it.
 */
export class Connections {
  private readonly idle: Connection[] = [];
  private readonly waiting: ((connection: Connection | undefined) => void)[] = [];
  private readonly all = new Set<Connection>();
  /** Not in `all` any more, and not closed yet. */
  private readonly closing = new Set<Promise<void>>();
  private isEnding = false;
  private onLast: (() => void) | undefined;

  constructor(private readonly url: string, private readonly max: number, private readonly options: Options) {}

  /** First come, first served. Throws the driver's error when a connection cannot be made. */
  async take(): Promise<Connection> {
    if (this.isEnding) throw Object.assign(new Error("The connections to the database are closed."), { code: "CONNECTION_ENDED" });
    const idle = this.idle.pop();
    if (idle) return idle;
    if (this.all.size < this.max) return this.open();
    const given = await new Promise<Connection | undefined>((resolve) => this.waiting.push(resolve));
    return given ?? this.take();
  }

  /** @param isClean false when a transaction may still be open */
  give(connection: Connection, isClean: boolean): void {
    const isKept = isClean && !connection.isLost && !this.isEnding && Date.now() < connection.endsAtMs;
    if (!isKept) this.drop(connection, isClean ? END_WAIT_S : 0);
    const next = this.waiting.shift();
    if (next) next(isKept ? connection : undefined);
    else if (isKept) this.idle.push(connection);
  }

  /** Ends all connections: those in use when they are given back, or after some seconds. */
  async end(): Promise<void> {
    this.isEnding = true;
    for (const resolve of this.waiting.splice(0)) resolve(undefined);
    for (const connection of this.idle.splice(0)) this.drop(connection, END_WAIT_S);
    if (this.all.size > 0) {
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([new Promise<void>((resolve) => (this.onLast = resolve)), new Promise((resolve) => (timer = setTimeout(resolve, END_WAIT_S * 1_000)))]);
      clearTimeout(timer);
      for (const connection of this.all) this.drop(connection, 0);
    }
    await Promise.all(this.closing);
  }

  private async open(): Promise<Connection> {
    let isOpen = false;
    const make = sockets("fail").socket;
    const socket: typeof make = (place) => {
      // The driver would send what it holds back on a connection of its own making, where no transaction is open. Until the first one is open it may try again.
      if (isOpen) throw connectionLost();
      return make(place);
    };
    // The driver's types do not know `socket` yet. It calls onclose while the connection is made, too.
    const options = { ...this.options, max: 1, max_lifetime: null, socket, onclose: () => this.lose(connection) };
    const client = postgres(this.url, options);
    // For the values it reads and writes: drizzle makes a client leave them as text.
    drizzle(client);
    const connection: Connection = { client, isLost: false, endsAtMs: Date.now() + LIFETIME_MS * (1 + Math.random()) };
    this.all.add(connection);
    try {
      await client`select 1`;
      isOpen = true;
      return connection;
    } catch (error) {
      this.give(connection, false);
      throw error;
    }
  }

  private lose(connection: Connection): void {
    connection.isLost = true;
    const place = this.idle.indexOf(connection);
    if (place >= 0) this.idle.splice(place, 1);
    // One in use keeps its place until it is given back.
    if (place >= 0) this.drop(connection, 0);
    // The driver holds statements back behind one that is not answered: they fail now, too.
    else void connection.client.end({ timeout: 0 });
  }

  private drop(connection: Connection, waitS: number): void {
    if (!this.all.delete(connection)) return;
    connection.isLost = true;
    const closed = connection.client.end({ timeout: waitS });
    this.closing.add(closed);
    void closed.finally(() => this.closing.delete(closed));
    if (this.all.size === 0) this.onLast?.();
  }
}
