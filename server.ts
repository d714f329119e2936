import { type IncomingMessage, type ServerResponse } from "node:http";
import next from "next";
import { handleBuyerRequest, prepareDoor } from "@/lib/adcp/http";
import { flushCalls } from "@/lib/call-log/flush";
import { closeDatabase } from "@/lib/db/client";
import { ConfigurationError, env, required } from "@/lib/env";
import { exitWithParent } from "@/lib/exit-with-parent";
import { readHealth } from "@/lib/health";
import { createBoundedServer } from "@/lib/http/bounded-server";
import { sendFetchResponse, toFetchRequest } from "@/lib/http/node-adapter";
import { log } from "@/lib/log";

/** Paths that buyers call. Answered here, before Next sees the request: a Next route costs five times as much. */
const BUYER_PATH = /^\/(mcp|a2a|api\/v1|previews|\.well-known)(\/|$|\?)/;

async function main(): Promise<void> {
  for (const name of ["DATABASE_URL", "ENCRYPTION_KEY", "AUTH_SECRET"] as const) required(name);
  const { PORT, HOST, DEMO, publicUrl, EXIT_WITH_PARENT } = env();
  const app = next({ dev: false, hostname: HOST ?? "127.0.0.1", port: PORT });
  await app.prepare();
  prepareDoor();
  const handleNext = app.getRequestHandler();

  const server = createBoundedServer((request, response) => answer(request, response, handleNext));
  server.listen(PORT, HOST ?? (DEMO ? "127.0.0.1" : "0.0.0.0"), () => {
    log.info("The web process is listening.", { port: PORT, publicUrl });
    process.send?.({ type: "listening", port: PORT });
  });

  const stop = () => {
    void flushCalls({ isEverything: true });
    server.close(() => void flushCalls({ isEverything: true }).finally(closeDatabase).finally(() => process.exit(0)));
    server.closeIdleConnections();
    setTimeout(() => process.exit(0), 3_000).unref();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  if (EXIT_WITH_PARENT) exitWithParent(() => process.exit(0));
}

async function answer(request: IncomingMessage, response: ServerResponse, handleNext: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<void> {
  const url = request.url ?? "/";
  if (url === "/health" || url.startsWith("/health?")) {
    const health = await readHealth();
    return sendFetchResponse(response, Response.json(health, { status: health.status === "ok" ? 200 : 503, headers: { "cache-control": "no-store" } }));
  }
  if (BUYER_PATH.test(url)) {
    const reply = await handleBuyerRequest(await toFetchRequest(request, env().publicUrl));
    if (reply) return sendFetchResponse(response, reply);
  }
  return handleNext(request, response);
}

main().catch((error: unknown) => {
  if (error instanceof ConfigurationError) process.stderr.write(`${error.message}\n`);
  else log.error("The web process could not start.", { error });
  process.exit(1);
});
