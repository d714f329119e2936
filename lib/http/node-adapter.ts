import { type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ReadableStream } from "node:stream/web";
import { ReceivedRequest } from "./received-request";

/** Bodies beyond this are refused by the doors; reading stops one byte after it. */
export const MAX_BODY_BYTES = 1_048_576;

const peers = new WeakMap<Request, string>();

/** The network address at the other end of the connection; undefined for requests that did not come through here. */
export function peerAddress(request: Request): string | undefined {
  return peers.get(request);
}

/**
 * A fetch Request of a Node request. The body is read whole, up to one byte beyond MAX_BODY_BYTES, so that the handler sees an
 * oversized body as such without holding more of it.
 */
export async function toFetchRequest(request: IncomingMessage, origin: string): Promise<Request> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name.startsWith(":")) continue;
    for (const item of Array.isArray(value) ? value : [value]) headers.append(name, item);
  }
  const method = request.method ?? "GET";
  const body = method === "GET" || method === "HEAD" ? undefined : await readBody(request);
  const made = new ReceivedRequest(new URL(request.url ?? "/", origin), method, headers, body);
  if (request.socket.remoteAddress) peers.set(made, request.socket.remoteAddress);
  return made;
}

async function readBody(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  // A destroyed request would reset the connection before the refusal arrives: what is left is read and dropped.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BODY_BYTES) break;
  }
  request.resume();
  return new Uint8Array(Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES + 1));
}

const texts = new WeakMap<Response, string>();

/** Notes the whole body of an answer beside it: sending it then takes no reading of a stream. */
export function rememberText(answer: Response, text: string): Response {
  texts.set(answer, text);
  return answer;
}

export async function sendFetchResponse(response: ServerResponse, answer: Response): Promise<void> {
  response.statusCode = answer.status;
  for (const [name, value] of answer.headers) if (name !== "set-cookie") response.setHeader(name, value);
  for (const cookie of answer.headers.getSetCookie()) response.appendHeader("set-cookie", cookie);
  const text = texts.get(answer);
  if (text !== undefined) {
    response.setHeader("content-length", Buffer.byteLength(text));
    response.end(text);
    return;
  }
  if (!answer.body) {
    response.end();
    return;
  }
  if (answer.headers.get("content-type")?.startsWith("text/event-stream")) {
    // Whoever hangs up cancels the stream, and so whatever feeds it.
    await pipeline(Readable.fromWeb(answer.body as ReadableStream<Uint8Array>), response).catch((error: unknown) => {
      if (!response.destroyed) throw error;
    });
    return;
  }
  const bytes = Buffer.from(await answer.arrayBuffer());
  response.setHeader("content-length", bytes.length);
  response.end(bytes);
}
