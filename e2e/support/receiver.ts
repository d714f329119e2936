import { createServer } from "node:http";
import { waitFor } from "@/test/wait";

export type Received = { headers: Record<string, string>; body: string; url: string; payload: Record<string, unknown> };
export type Receiver = { url: string; received: Received[]; answerWith(status: number): void; next(matches: (payload: Record<string, unknown>) => boolean): Promise<Received>; close(): Promise<void> };

/** A buyer's webhook endpoint on loopback that keeps what it was sent, to the byte. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let status = 200;
  let origin = "";
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]));
      received.push({ headers, body, url: `${origin}${request.url}`, payload: JSON.parse(body) as Record<string, unknown> });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("no address");
  origin = `http://127.0.0.1:${address.port}`;
  return {
    url: `${origin}/webhooks/adcp`,
    received,
    answerWith: (next) => {
      status = next;
    },
    next: (matches) => waitFor("a webhook", () => received.find(({ payload }) => matches(payload)), 120_000),
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
