import postgres from "postgres";

type Options = NonNullable<Parameters<typeof postgres>[1]>;

/** After this long, to twice as long, a connection makes room for a new one: what the server keeps for its prepared statements goes with it. */
const LIFETIME_MS = 30 * 60_000;

/** How long `end` waits for those who still use a connection. */
const END_WAIT_MS = 5_000;

/** One connection for one user at a time: what is sent arrives in that order, and nobody else's comes between. */
export type Connection = {
  readonly client: postgres.Sql;
  /** It broke: nothing more may be sent, because the driver would make a new one, where no transaction is open. */
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
    if (!isKept) this.drop(connection);
    const next = this.waiting.shift();
    if (next) next(isKept ? connection : undefined);
    else if (isKept) this.idle.push(connection);
  }

  /** Ends all connections: those in use when they are given back, or after some seconds. */
  async end(): Promise<void> {
    this.isEnding = true;
    for (const resolve of this.waiting.splice(0)) resolve(undefined);
    for (const connection of this.idle.splice(0)) this.drop(connection);
    if (this.all.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([new Promise<void>((resolve) => (this.onLast = resolve)), new Promise((resolve) => (timer = setTimeout(resolve, END_WAIT_MS)))]);
    clearTimeout(timer);
    for (const connection of this.all) this.drop(connection);
  }

  private async open(): Promise<Connection> {
    // The driver calls onclose while the connection is made, too.
    const client = postgres(this.url, { ...this.options, max: 1, max_lifetime: null, onclose: () => this.lose(connection) });
    const connection: Connection = { client, isLost: false, endsAtMs: Date.now() + LIFETIME_MS * (1 + Math.random()) };
    this.all.add(connection);
    try {
      await client`select 1`;
      return connection;
    } catch (error) {
      this.give(connection, false);
      throw error;
    }
  }

  private lose(connection: Connection): void {
    connection.isLost = true;
    const place = this.idle.indexOf(connection);
    if (place >= 0) this.drop(...this.idle.splice(place, 1) as [Connection]);
  }

  private drop(connection: Connection): void {
    if (!this.all.delete(connection)) return;
    connection.isLost = true;
    void connection.client.end({ timeout: 0 }).catch(() => undefined).finally(() => this.all.size === 0 && this.onLast?.());
  }
}
