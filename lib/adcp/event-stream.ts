/** Signs of life between events, so that nobody on the way takes the connection for dead. */
const PING_MS = 15_000;

/** Server-sent events, one `message` per text. Whoever hangs up ends `messages`. */
export function eventStream(messages: AsyncIterable<string>, headers: Record<string, string> = {}): Response {
  const encoder = new TextEncoder();
  const iterator = messages[Symbol.asyncIterator]();
  let timer: NodeJS.Timeout | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      timer = setInterval(() => controller.enqueue(encoder.encode(": ping\n\n")), PING_MS);
    },
    async pull(controller) {
      const next = await iterator.next();
      if (!next.done) return controller.enqueue(encoder.encode(`event: message\ndata: ${next.value}\n\n`));
      clearInterval(timer);
      controller.close();
    },
    async cancel() {
      clearInterval(timer);
      await iterator.return?.();
    },
  });
  // no-transform: compression would hold events back.
  return new Response(stream, { headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store, no-transform", "x-accel-buffering": "no", ...headers } });
}
