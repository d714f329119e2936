import { cookies } from "next/headers";
import { readStaffOf } from "@/lib/auth/session";
import { sessionCookieName } from "@/lib/auth/session-token";
import { subscribeToChanges } from "@/lib/live-stream";
import { log } from "@/lib/log";

const PING_MS = 15_000;

/**
 * Server-sent events of one publisher: `change` with `<topic> <id>` whenever something changed, `ping` as a sign of life. Only for
 * members; with each ping, and when somebody's access changed, the session and the membership are read again, and the stream ends when they no
 * longer hold.
 */
export async function GET(request: Request): Promise<Response> {
  const cookie = (await cookies()).get(sessionCookieName())?.value;
  const slug = new URL(request.url).searchParams.get("publisher") ?? "";
  const tenantId = await findTenant(cookie, slug);
  if (!tenantId) return new Response("Sign in to follow this publisher.", { status: 401 });

  const encoder = new TextEncoder();
  let output: ReadableStreamDefaultController<Uint8Array> | undefined;
  const send = (event: string, data: string) => output?.enqueue(encoder.encode(`event: ${event}\ndata: ${data}\n\n`));
  const look = () => {
    findTenant(cookie, slug).then(
      (current) => (current === tenantId ? send("ping", "") : end()),
      (error: unknown) => {
        log.warn("A live stream could not check its session.", { error });
        end();
      },
    );
  };
  const unsubscribe = await subscribeToChanges(tenantId, (change) => {
    send("change", `${change.topic} ${change.id}`);
    if (change.topic === "staff") look();
  });
  const timer = setInterval(look, PING_MS);
  const end = () => {
    clearInterval(timer);
    unsubscribe();
    output?.close();
    output = undefined;
  };
  request.signal.addEventListener("abort", end);
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      output = controller;
      send("ready", "");
    },
    cancel() {
      output = undefined;
      end();
    },
  });
  // no-transform: compression would hold events back.
  return new Response(stream, { headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store, no-transform", "x-accel-buffering": "no" } });
}

async function findTenant(cookie: string | undefined, slug: string): Promise<string | undefined> {
  const staff = await readStaffOf(cookie);
  return staff?.memberships.find((membership) => membership.slug === slug)?.tenantId;
}
