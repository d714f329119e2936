import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

type Place = { host: string[]; port: number[]; path?: string | undefined };

/** From this size on postgres.js hands a statement to the system at once; smaller ones wait for the end of the event loop's turn. */
const AT_ONCE_BYTES = 1_024;

/**
 * A socket for postgres.js on which large statements wait for the small one behind them: what was sent along and its commit leave in one call to the
 * system. Not for addresses with several hosts, among which postgres.js chooses itself.
 */
function connectGathering({ host, port, path }: Place): Socket {
  const socket = path ? connect({ path }) : connect({ host: host[0] ?? "localhost", port: port[0] ?? 5_432, noDelay: true });
  const write = socket.write.bind(socket);
  socket.write = ((chunk: Uint8Array, ...rest: []): boolean => {
    const isLarge = chunk.length >= AT_ONCE_BYTES;
    if (isLarge && socket.writableCorked === 0) {
      socket.cork();
      // postgres.js writes at the end of this turn; if it has nothing more, the large one goes by itself at the end of the next.
      setImmediate(() => setImmediate(() => release(socket)));
    }
    const isTaken = write(chunk, ...rest);
    if (!isLarge) release(socket);
    return isTaken;
  }) as Socket["write"];
  return socket;
}

function release(socket: Socket): void {
  if (socket.writableCorked > 0) socket.uncork();
}

/** How often in a row an address is tried that lets nobody in. */
const TRIES_MAX = 5;
const PAUSE_MS = 1_000;

/** What to throw for a statement that finds its connection broken. */
export function connectionLost(): Error {
  return Object.assign(new Error("The connection to the database was lost."), { code: "CONNECTION_CLOSED" });
}

/** The `socket` option of one client, and what to call when its connection is open: tries are counted anew from there. */
export type Sockets = { socket(place: Place): Promise<Socket>; letIn(): void };

/**
 * Sockets for one client that meets somebody who accepts and hangs up, such as a proxy without its database or a database with no connection left: postgres.js
 * alone would try again for ever, without a pause. What is heard before one is let in says nothing: a server refuses some only once it knows who they are.
 * @param afterwards after a few tries `fail`s the statement that waits for the connection, and the client with it, or `pause`s before each further one
 * @param stopped ends a pause, and makes no socket any more
 */
export function sockets(afterwards: "fail" | "pause", stopped?: AbortSignal): Sockets {
  let tries = 0;
  return {
    async socket(place) {
      if (tries >= TRIES_MAX && afterwards === "fail") throw connectionLost();
      if (tries >= TRIES_MAX) await pause(PAUSE_MS, undefined, { signal: stopped });
      if (stopped?.aborted) throw connectionLost();
      tries += 1;
      return connectGathering(place);
    },
    letIn() {
      tries = 0;
    },
  };
}
