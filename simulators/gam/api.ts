import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServiceAccount } from "./accounts";
import { unauthenticated, type Authenticator } from "./auth";
import { trackDelivery } from "./delivery";
import { ApiError } from "./errors";
import type { CallFaults, Faults } from "./faults";
import { applyResponseMask } from "./masks";
import type { Journal, Outcome } from "./journal";
import type { Json, JsonObject } from "./json";
import { newCorrelationId, readBody, readJsonBody, readQuery, readResponseMask } from "./protocol";
import { listNetworks } from "./resources/networks";
import { matchRoute } from "./routes";
import { Transaction, type Store } from "./store";

/** Longer bodies, uploads above all, are left out of the journal. */
const MAX_JOURNAL_BODY = 256 * 1024;

export interface ApiContext {
  store: Store;
  authenticator: Authenticator;
  faults: Faults;
  journal: Journal;
  /** The simulated clock; tokens expire by the real one. */
  now: () => Date;
  /** Moves the simulated clock forward. */
  advance: (ms: number) => void;
}

/** What became of a request, however it ends. */
interface Progress {
  serviceAccount?: string;
  body?: Json;
  status: number;
  committed: boolean;
  created: string[];
}

/** Answers everything below `/v1`. */
export async function handleApi(context: ApiContext, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const startedAt = performance.now();
  const method = request.method ?? "GET";
  const network = /^\/v1\/networks\/([^/:]+)/.exec(url.pathname)?.[1];
  const correlationId = newCorrelationId();
  const faults = context.faults.forRequest({ method, path: url.pathname, network });
  const progress: Progress = { status: 0, committed: false, created: [] };
  const at = context.now().toISOString();

  const finish = (outcome: Outcome): void => {
    context.journal.add({
      at, method, path: url.pathname, query: url.search, network, serviceAccount: progress.serviceAccount, correlationId,
      body: progress.body, status: progress.status, outcome, committed: progress.committed, created: progress.created,
      faults: faults.hits, durationMs: Math.round(performance.now() - startedAt),
    });
  };

  response.setHeader("X-Goog-Correlation-Id", correlationId);
  try {
    const text = await readBody(request);
    const latencyMs = faults.takeLatencyMs();
    if (latencyMs > 0) await sleep(latencyMs);
    const lost = loseBeforeCommit(faults, response, progress, finish);
    if (lost) return;
    refuseByFault(faults);
    const answer = answerRequest(context, request, url, text, faults, progress);
    progress.status = 200;
    if (loseAfterCommit(faults, response, finish)) return;
    finish("answered");
    sendJson(response, 200, answer);
  } catch (error) {
    const apiError = error instanceof ApiError ? error : new ApiError("INTERNAL", "Internal error encountered.");
    if (!(error instanceof ApiError)) console.error(error);
    progress.status = apiError.code;
    finish("answered");
    if (apiError.status === "UNAUTHENTICATED") response.setHeader("WWW-Authenticate", 'Bearer realm="https://accounts.google.com/"');
    sendJson(response, apiError.code, apiError.toBody(correlationId));
  }
}

function loseBeforeCommit(faults: CallFaults, response: ServerResponse, progress: Progress, finish: (outcome: Outcome) => void): boolean {
  if (faults.take("dropBeforeCommit")) {
    finish("droppedBeforeCommit");
    response.destroy();
  } else if (faults.take("noReply", (spec) => !spec.commit)) {
    finish("neverAnswered");
  } else if (faults.take("garbage", (spec) => !spec.commit)) {
    progress.status = 200;
    finish("garbage");
    sendGarbage(response);
  } else {
    return false;
  }
  return true;
}

function refuseByFault(faults: CallFaults): void {
  if (faults.take("unauthorized")) throw unauthenticated();
  if (faults.take("rateLimit")) {
    throw new ApiError("RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Requests' and limit 'Requests per second per network'.", {
      detail: { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "RATE_LIMIT_EXCEEDED", domain: "googleapis.com" },
    });
  }
  if (faults.take("unavailable")) throw new ApiError("UNAVAILABLE", "The service is currently unavailable.");
  if (faults.take("internal")) throw new ApiError("INTERNAL", "Internal error encountered.");
}

function loseAfterCommit(faults: CallFaults, response: ServerResponse, finish: (outcome: Outcome) => void): boolean {
  if (faults.take("dropAfterCommit")) {
    finish("droppedAfterCommit");
    response.destroy();
  } else if (faults.take("noReply", (spec) => spec.commit)) {
    finish("neverAnswered");
  } else if (faults.take("garbage", (spec) => spec.commit)) {
    finish("garbage");
    sendGarbage(response);
  } else {
    return false;
  }
  return true;
}

/** Authenticates, authorises and runs one request in one transaction. No await: nothing runs in between. */
function answerRequest(context: ApiContext, request: IncomingMessage, url: URL, text: string, faults: CallFaults, progress: Progress): JsonObject {
  const method = request.method ?? "GET";
  const now = context.now();
  const account = context.authenticator.authenticate(request.headers.authorization, { isWrite: method !== "GET", nowMs: Date.now() });
  progress.serviceAccount = account.email;
  if (method === "GET" && url.pathname === "/v1/networks") {
    return mask(request, readQuery(url.searchParams, ["pageSize", "pageToken", "skip"]), listNetworks(context.store.networks, account));
  }
  const match = matchRoute(method, url.pathname);
  if (!match) throw new ApiError("NOT_FOUND", `No such method: ${method} ${url.pathname}`);
  const network = context.store.networks.get(match.network);
  if (!network || !mayUse(account, match.network)) {
    throw new ApiError("PERMISSION_DENIED", `The caller does not have access to network ${match.network}.`);
  }
  const query = readQuery(url.searchParams, match.route.parameters);
  const responseMask = readResponseMask(request, query);
  const body = readJsonBody(text);
  if (body !== undefined && text.length <= MAX_JOURNAL_BODY) progress.body = body;
  const transaction = new Transaction(network);
  try {
    const answer = match.route.handler({
      network, account, now, transaction, faults, ids: match.ids, query, body, responseMask, created: progress.created,
    });
    trackDelivery(network, transaction, now);
    context.store.commit(transaction);
    progress.committed = transaction.hasChanges;
    return responseMask ? applyResponseMask(answer, responseMask) : answer;
  } catch (error) {
    if (error instanceof ApiError && error.keepsPartialWork) {
      trackDelivery(network, transaction, now);
      context.store.commit(transaction);
      progress.committed = transaction.hasChanges;
    } else {
      transaction.rollBack();
      progress.created.length = 0;
    }
    throw error;
  }
}

function mayUse(account: ServiceAccount, network: string): boolean {
  return account.networks.includes(network);
}

function mask(request: IncomingMessage, query: ReadonlyMap<string, string>, answer: JsonObject): JsonObject {
  const responseMask = readResponseMask(request, query);
  return responseMask ? applyResponseMask(answer, responseMask) : answer;
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json; charset=UTF-8" });
  response.end(JSON.stringify(body));
}

function sendGarbage(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "text/html; charset=UTF-8" });
  response.end("<html><body>502 That’s an error.</body></html>");
}
