import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { log, shownPath } from "../log";

/** How long whoever sends may take, in ms: for the headers, for the whole request, and between two requests of one connection. */
export type Patience = { headersTimeout: number; requestTimeout: number; keepAliveTimeout: number; /** How often late ones are looked for. */ connectionsCheckingInterval: number };

const PATIENCE: Patience = { headersTimeout: 20_000, requestTimeout: 60_000, keepAliveTimeout: 65_000, connectionsCheckingInterval: 5_000 };

/** An HTTP server that waits for nobody for ever: who is late is answered 408 and disconnected. What `answer` throws is logged and answered 500. */
export function createBoundedServer(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>, patience: Patience = PATIENCE): Server {
  return createServer(patience, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      // Whoever sends hung up, or was too late: nobody waits for an answer, and nothing is wrong here.
      if (!request.complete && request.destroyed) return;
      log.error("A request failed outside every handler.", { error, path: shownPath(request.url ?? "") });
      if (!response.headersSent) response.writeHead(500, { "content-type": "application/json" });
      response.end();
    });
  });
}
