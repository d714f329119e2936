import { AppError } from "../errors";
import { MAX_BODY_BYTES } from "../http/node-adapter";
import { isSigned } from "./is-signed";

/** Nested deeper than any request of the protocol; recursion over such input would end the stack. */
const MAX_DEPTH = 100;
/** More members than any request of the protocol has; each may cost a check and an error object. */
const MAX_VALUES = 100_000;

export class BodyError extends Error {
  constructor(readonly httpStatus: 400 | 413 | 415, readonly error: AppError, readonly isMalformed: boolean) {
    super(error.message);
    this.name = "BodyError";
  }
}

/** The JSON in a request's body. Throws BodyError: 415 when it is compressed, 413 beyond one MiB, 400 when it is not JSON. */
export async function readJson(request: Request): Promise<unknown> {
  const coding = request.headers.get("content-encoding");
  if (coding !== null && !/^(?:identity)?$/i.test(coding.trim())) throw new BodyError(415, new AppError("INVALID_REQUEST", "The body has a content-encoding, and none is read here.", { suggestion: "Send it uncompressed." }), false);
  const text = await readText(request);
  const excess = findExcess(text);
  if (excess) throw new BodyError(400, new AppError("INVALID_REQUEST", excess), false);
  try {
    return JSON.parse(text);
  } catch {
    throw new BodyError(400, new AppError("INVALID_REQUEST", "The body is not valid JSON."), true);
  }
}

/** What was read of signed requests, whose signature may cover the very bytes. */
const bytesRead = new WeakMap<Request, Uint8Array>();

/** The body as it came, also after readJson has read it. For signed requests only. */
export async function readBodyBytes(request: Request): Promise<Uint8Array> {
  return bytesRead.get(request) ?? new Uint8Array(await request.clone().arrayBuffer());
}

async function readText(request: Request): Promise<string> {
  if (isSigned(request.headers)) {
    const bytes = await readBodyBytes(request);
    if (bytes.byteLength > MAX_BODY_BYTES) throw tooLarge();
    bytesRead.set(request, bytes);
    return new TextDecoder().decode(bytes);
  }
  const announced = Number(request.headers.get("content-length") ?? Number.NaN);
  if (announced > MAX_BODY_BYTES) throw tooLarge();
  // With a length the HTTP server holds the sender to it; without one we count.
  if (announced <= MAX_BODY_BYTES) return request.text();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (const reader = request.body?.getReader(); reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > MAX_BODY_BYTES) {
      await reader.cancel();
      throw tooLarge();
    }
    chunks.push(value);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function tooLarge(): BodyError {
  return new BodyError(413, new AppError("INVALID_REQUEST", `The body is larger than ${MAX_BODY_BYTES} bytes.`, { suggestion: "Send less at once.", details: { max_body_bytes: MAX_BODY_BYTES } }), false);
}

/** Looks at punctuation outside strings only, before anything recursive or exhaustive sees the text. */
function findExcess(text: string): string | null {
  let depth = 0;
  let values = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (isInString) {
      if (code === 0x5c) i += 1;
      else if (code === 0x22) isInString = false;
    } else if (code === 0x22) isInString = true;
    else if (code === 0x2c) values += 1;
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      values += 1;
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
    if (depth > MAX_DEPTH) return `The body is nested more than ${MAX_DEPTH} levels deep.`;
    if (values > MAX_VALUES) return `The body holds more than ${MAX_VALUES} values.`;
  }
  return null;
}
