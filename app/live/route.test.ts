import postgres from "postgres";
import { beforeAll, expect, test, vi } from "vitest";
import { withTenant } from "@/lib/db/client";
import { announceChange } from "@/lib/live";
import { createLog } from "@/lib/log";
import { deactivateStaff } from "@/lib/staff/service";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { createStaff, type StaffFixture } from "@/test/fixtures/staff";
import { mintSessionCookie } from "@/test/session";
import { useTestDatabase } from "@/test/db";
import { GET } from "./route";

const request = vi.hoisted(() => ({ cookies: new Map<string, string>() }));
vi.mock("next/headers", () => ({ cookies: () => Promise.resolve({ get: (name: string) => (request.cookies.has(name) ? { name, value: request.cookies.get(name) } : undefined) }) }));

const database = useTestDatabase();
let publisher: PublisherFixture;
let other: PublisherFixture;
let staff: StaffFixture;
beforeAll(async () => {
  [publisher, other] = [await createPublisher(), await createPublisher()];
  staff = await createStaff(database.adminUrl, [{ tenantId: publisher.tenantId, role: "viewer" }]);
});

async function follow(slug: string, isSignedIn = true): Promise<{ response: Response; stop: AbortController }> {
  request.cookies.clear();
  const cookie = await mintSessionCookie(staff.userId);
  if (isSignedIn) request.cookies.set(cookie.name, cookie.value);
  const stop = new AbortController();
  return { response: await GET(new Request(`http://127.0.0.1:3000/live?publisher=${slug}`, { signal: stop.signal })), stop };
}

/** Reads events until one matches, or until the stream ends. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, wanted: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (value) text += decoder.decode(value);
    if (done || text.includes(wanted)) return text;
  }
}

test("strangers to the publisher, and nobody, may not follow it", async () => {
  expect((await follow(publisher.slug, false)).response.status).toBe(401);
  expect((await follow(other.slug)).response.status).toBe(401);
  expect((await follow("no-such-publisher")).response.status).toBe(401);
});

test("a member is told what changed, and no more after leaving", async () => {
  const { response, stop } = await follow(publisher.slug);
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const reader = response.body?.getReader();
  if (!reader) throw new Error("no body");
  await readUntil(reader, "event: ready");
  await withTenant(other.tenantId, async (db) => announceChange({ db, tenantId: other.tenantId }, "media_buy", "foreign"));
  await withTenant(publisher.tenantId, async (db) => announceChange({ db, tenantId: publisher.tenantId }, "media_buy", "ours"));
  const text = await readUntil(reader, "ours");
  expect(text).toContain("event: change\ndata: media_buy ours\n\n");
  expect(text).not.toContain("foreign");
  stop.abort();
  expect((await reader.read()).done).toBe(true);
});

test("the stream ends when the membership does", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const { response } = await follow(publisher.slug);
    const reader = response.body?.getReader();
    if (!reader) throw new Error("no body");
    await readUntil(reader, "event: ready");
    vi.advanceTimersByTime(15_000);
    await readUntil(reader, "event: ping");
    const admin = postgres(database.adminUrl, { max: 1 });
    await admin`delete from memberships where user_id = ${staff.userId}`;
    await admin.end();
    vi.advanceTimersByTime(15_000);
    expect(await readUntil(reader, "never")).not.toContain("change");
  } finally {
    vi.useRealTimers();
  }
});

test("somebody who is deactivated is cut off at once", async () => {
  const gone = await createStaff(database.adminUrl, [{ tenantId: publisher.tenantId, role: "viewer" }]);
  const cookie = await mintSessionCookie(gone.userId);
  request.cookies.clear();
  request.cookies.set(cookie.name, cookie.value);
  const reader = (await GET(new Request(`http://127.0.0.1:3000/live?publisher=${publisher.slug}`))).body?.getReader();
  if (!reader) throw new Error("no body");
  await readUntil(reader, "event: ready");
  const admin = await createStaff(database.adminUrl, [{ tenantId: publisher.tenantId, role: "admin" }]);
  const actor = { kind: "user", userId: admin.userId, label: "Ada", role: "admin" } as const;
  await withTenant(publisher.tenantId, (db) => deactivateStaff({ db, tenantId: publisher.tenantId, actor, now: new Date(), log: createLog() }, { userId: gone.userId }));
  expect(await readUntil(reader, "never")).toContain(`data: staff ${gone.userId}`);
});
