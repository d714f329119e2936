import { connect, type Socket } from "node:net";

type Place = { host: string[]; port: number[]; path?: string | undefined };

/** From this size on postgres.js hands a statement to the system at once; smaller ones wait for the end of the event loop's turn. */
const AT_ONCE_BYTES = 1_024;

/**
 * A socket for postgres.js on which large statements wait for the small one behind them: what was sent along and its commit leave in one call to the
 * system. Not for addresses with several hosts, among which postgres.js chooses itself.
 */
export function connectGathering({ host, port, path }: Place): Socket {
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
