import { AsyncLocalStorage } from "node:async_hooks";
import { createHash, randomUUID } from "node:crypto";
import { type SentEvent } from "./wire";

/** The call in whose course something is sent. `seed` is the same when the call is repeated after a crash. */
type SendingCall = { seed: string; contents: Map<string, number>; requests: Map<string, string[]> };

const sendingCall = new AsyncLocalStorage<SendingCall>();

/** Runs a call so that events sent in it without an id get the same ids when it is repeated. */
export function withSeed<T>(seed: string, call: () => Promise<T>): Promise<T> {
  return sendingCall.run({ seed, contents: new Map(), requests: new Map() }, call);
}

/** A function starts at most once for an event: the run's id says which. */
export function deriveRunId(functionId: string, eventId: string): string {
  return digest("run", functionId, eventId).slice(0, 32);
}

/**
 * Ids of events, their own where they have one. Otherwise, inside a step, from the step and the content, so that a step repeated
 * after a crash sends nothing twice; elsewhere from `requestSeed`, which the SDK keeps when it retries a request.
 */
export function chooseEventIds(events: SentEvent[], requestSeed: string | null): string[] {
  const call = sendingCall.getStore();
  const known = requestSeed ? call?.requests.get(requestSeed) : undefined;
  if (known) return known;
  const ids = events.map((event, index) => event.id ?? (call ? deriveFromContent(event, call) : deriveFromRequest(index, requestSeed)));
  if (requestSeed) call?.requests.set(requestSeed, ids);
  return ids;
}

function deriveFromContent(event: SentEvent, call: SendingCall): string {
  const content = digest(event.name, JSON.stringify(event.data ?? {}));
  const repeat = call.contents.get(content) ?? 0;
  call.contents.set(content, repeat + 1);
  return digest("step", call.seed, content, String(repeat)).slice(0, 32);
}

function deriveFromRequest(index: number, requestSeed: string | null): string {
  return requestSeed ? digest("sent", requestSeed, String(index)).slice(0, 32) : randomUUID();
}

function digest(...parts: string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
