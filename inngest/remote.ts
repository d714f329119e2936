import { createServer } from "node:http";
import { serve as serveFetch } from "inngest/edge";
import { serve as serveNode } from "inngest/node";
import { ConfigurationError, env } from "@/lib/env";
import { log } from "@/lib/log";
import { type Background, sendEvents } from "./background";
import { createInngest } from "./client";
import { createFunctions, type FunctionNeeds } from "./functions";

const PATH = "/api/inngest";
const REGISTER_AGAIN_MS = [500, 1_000, 2_000, 5_000, 10_000];

/** An Inngest server runs the functions by calling this process; only signed calls are answered, except those of a development server. */
export function createRemoteBackground({ needs, port, host }: { needs: FunctionNeeds; port: number; host: string }): Background & { port(): number } {
  const client = createInngest();
  const isDevelopment = client.mode === "dev";
  if (!isDevelopment && !env().INNGEST_SIGNING_KEY) throw new ConfigurationError("Configuration is wrong: INNGEST_SIGNING_KEY is not set, so no call of the Inngest server could be told from a forged one. A development server is named by INNGEST_DEV.");
  const functions = createFunctions(client, needs);
  const answer = serveNode({ client, functions, servePath: PATH, enableUnauthedSync: false });
  // Registers from inside this process alone: the served handler takes no unsigned registration.
  const register = serveFetch({ client, functions, servePath: PATH });
  const server = createServer((request, response) => {
    if (new URL(request.url ?? "/", "http://worker").pathname === PATH) void answer(request, response);
    else response.writeHead(404).end();
  });
  const stopping = new AbortController();
  const boundPort = () => {
    const address = server.address();
    return address && typeof address === "object" ? address.port : port;
  };

  async function registerUntilKnown(): Promise<void> {
    const url = new URL(PATH, `http://${host}:${boundPort()}`);
    for (let attempt = 0; !stopping.signal.aborted; attempt += 1) {
      const reply = await register(new Request(url, { method: "PUT", headers: { host: url.host } }));
      if (reply.ok) return log.info("The functions are registered with the Inngest server", { functions: functions.length });
      log.warn("The functions could not be registered with the Inngest server; the worker tries again", { status: reply.status, reply: await reply.text() });
      await pause(REGISTER_AGAIN_MS[Math.min(attempt, REGISTER_AGAIN_MS.length - 1)] ?? 0, stopping.signal);
    }
  }

  return {
    port: boundPort,
    async start() {
      await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, isDevelopment ? "127.0.0.1" : host, resolve));
      await registerUntilKnown();
    },
    async stop() {
      stopping.abort();
      server.closeIdleConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
    send: (events) => sendEvents(client, events),
    status: () => ({ target: isDevelopment ? "inngest-dev" : "inngest", port: boundPort() }),
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
