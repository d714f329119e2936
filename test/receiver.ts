import { createServer, type IncomingHttpHeaders } from "node:http";

export type Received = { path: string; headers: IncomingHttpHeaders; body: string };
export type Receiver = { url: string; received: Received[]; close(): Promise<void> };

/** A webhook receiver on loopback. `answer` gives the status of the n-th request (from 1), or undefined to stay silent. */
export async function startReceiver(answer: (n: number) => number | undefined = () => 200, headers: Record<string, string> = {}): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
      const status = answer(received.length);
      if (status !== undefined) response.writeHead(status, headers).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = address && typeof address === "object" ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
