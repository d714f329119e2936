import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { Readable } from "node:stream";

/** Answers larger than this are cut off with an error. */
const ANSWER_BYTES_MAX = 1024 * 1024;
/** A Response with one of these statuses has no body. */
const BODILESS = [101, 204, 205, 304];

export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/**
 * A `fetch` that reaches one host only, at the given address, whatever its name resolves to now; TLS still checks the name. Follows no
 * redirect. `signHeaders` is asked for further headers of each request.
 */
export function createPinnedFetch(origin: URL, address: string, signHeaders: (body: string) => Promise<Record<string, string>>): Fetch {
  return async (input, init = {}) => {
    const url = new URL(input);
    if (url.origin !== origin.origin) throw new Error(`${url.host} is not the host that may be called.`);
    if (init.body !== undefined && init.body !== null && typeof init.body !== "string") throw new Error("Only text is sent.");
    const body = init.body ?? "";
    const headers = { ...Object.fromEntries(new Headers(init.headers)), ...(await signHeaders(body)), ...(body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) }) };
    const answer = await request(url, address, { method: init.method ?? "GET", headers, body, signal: init.signal ?? undefined });
    return toResponse(answer);
  };
}

function request(url: URL, address: string, { method, headers, body, signal }: { method: string; headers: Record<string, string>; body: string; signal: AbortSignal | undefined }): Promise<IncomingMessage> {
  const { request: open } = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    const call = open(url, {
      method, headers, signal, agent: false,
      lookup: (_hostname, options, callback) => {
        const found = { address, family: isIP(address) };
        if (options.all) callback(null, [found]);
        else callback(null, found.address, found.family);
      },
    }, resolve);
    call.on("error", reject);
    call.end(body);
  });
}

function toResponse(answer: IncomingMessage): Response {
  const status = answer.statusCode ?? 502;
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  if (BODILESS.includes(status)) {
    answer.resume();
    return new Response(null, { status, headers });
  }
  let received = 0;
  answer.on("data", (chunk: Buffer) => {
    received += chunk.length;
    if (received > ANSWER_BYTES_MAX) answer.destroy(new Error("The answer is too large."));
  });
  answer.pause();
  // A web stream of Node's is the platform's own; only their declarations differ.
  return new Response(Readable.toWeb(answer) as ReadableStream<Uint8Array>, { status, headers });
}
