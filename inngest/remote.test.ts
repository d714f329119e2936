import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { adServerDriver } from "@/lib/ad-servers/drivers";
import { canonicalJson } from "@/lib/adcp/canonical-json";
import { withTenant } from "@/lib/db/client";
import { startRelay } from "@/lib/events/relay";
import { newId } from "@/lib/ids";
import { log } from "@/lib/log";
import { tasks } from "@/lib/media-buys/schema";
import { resolveByDns } from "@/lib/webhooks/address";
import { webhookDeliveries } from "@/lib/webhooks/schema";
import { queueTaskWebhook, registerReceiver } from "@/lib/webhooks/service";
import { useTestDatabase } from "@/test/db";
import { systemCtx } from "@/test/fixtures/order";
import { createPublisher } from "@/test/fixtures/publisher";
import { startReceiver } from "@/test/receiver";
import { waitFor } from "@/test/wait";
import { executing } from "./executing";
import { createRemoteBackground } from "./remote";

/** The worker beside a real Inngest server, of which this file plays the part, in the SDK's own protocol. */
const SIGNING_KEY = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";
const EVENT_KEY = "event-key-of-the-test";

type Recorded = { method: string; path: string; headers: IncomingHttpHeaders; body: unknown };
const registrationSchema = z.object({ url: z.string(), appName: z.literal("greenlight"), functions: z.array(z.looseObject({ id: z.string(), steps: z.object({ step: z.object({ runtime: z.object({ url: z.string() }) }) }) })) });
const eventsSchema = z.array(z.object({ id: z.string(), name: z.string(), data: z.record(z.string(), z.unknown()) }));

useTestDatabase();
const recorded: Recorded[] = [];
let refusals = 2;
let inngestServer: Server;
let background: ReturnType<typeof createRemoteBackground>;

beforeAll(async () => {
  inngestServer = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "";
      recorded.push({ method: request.method ?? "", path, headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString("utf8") || "null") });
      const isRefused = path.startsWith("/fn/register") && refusals > 0;
      if (isRefused) refusals -= 1;
      response.writeHead(isRefused ? 503 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(isRefused ? { error: "not now", status: 503 } : path.startsWith("/e/") ? { ids: eventsSchema.parse(recorded.at(-1)?.body).map(({ id }) => id), status: 200 } : { ok: true, modified: true, status: 200 }));
    });
  });
  await new Promise<void>((resolve) => inngestServer.listen(0, "127.0.0.1", resolve));
  const address = inngestServer.address();
  Object.assign(process.env, {
    INNGEST_BASE_URL: `http://127.0.0.1:${address && typeof address === "object" ? address.port : 0}`, INNGEST_EVENT_KEY: EVENT_KEY, INNGEST_SIGNING_KEY: SIGNING_KEY, INNGEST_SERVE_ORIGIN: "https://worker.internal.example",
  });
  background = createRemoteBackground({ needs: { ...executing, driver: adServerDriver, resolve: resolveByDns }, port: 0, host: "127.0.0.1" });
  await background.start();
});
afterAll(async () => {
  await background.stop();
  await new Promise<void>((resolve) => inngestServer.close(() => resolve()));
  for (const name of ["INNGEST_BASE_URL", "INNGEST_EVENT_KEY", "INNGEST_SIGNING_KEY", "INNGEST_SERVE_ORIGIN"]) delete process.env[name];
});

/** `t=<seconds>&s=<hmac-sha256 of the canonical body (RFC 8785) and the seconds>`, as the server signs its calls. */
function sign(body: string, key = SIGNING_KEY, at = Math.floor(Date.now() / 1_000)): string {
  return `t=${at}&s=${createHmac("sha256", key).update(`${body}${at}`).digest("hex")}`;
}

async function call(functionId: string, event: { name: string; data: unknown }, steps: Record<string, unknown>, signature: (body: string) => string | undefined, stepId = "step") {
  const stack = Object.keys(steps);
  const body = canonicalJson({
    version: -1, event: { id: "e1", ts: Date.now(), user: {}, ...event }, events: [], steps, use_api: false,
    ctx: { run_id: "01TESTRUN", attempt: 0, max_attempts: 5, use_api: false, env: "", disable_immediate_execution: stepId !== "step", stack: { stack, current: stack.length } },
  });
  const signed = signature(body);
  const response = await fetch(`http://127.0.0.1:${background.port()}/api/inngest?fnId=${functionId}&stepId=${stepId}`, {
    method: "POST", body, headers: { "content-type": "application/json", ...(signed === undefined ? {} : { "x-inngest-signature": signed }) },
  });
  return { status: response.status, signature: response.headers.get("x-inngest-signature"), body: await response.json() as unknown };
}

async function queueDelivery() {
  const publisher = await createPublisher();
  const receiver = await startReceiver();
  const taskId = newId();
  const deliveryId = await withTenant(publisher.tenantId, async (db) => {
    const ctx = systemCtx(db, publisher.tenantId);
    await db.insert(tasks).values({ tenantId: publisher.tenantId, id: taskId, principalId: publisher.principal.id, taskType: "create_media_buy", status: "completed", result: { media_buy_id: "mb_1", packages: [] } });
    await registerReceiver(ctx, { principalId: publisher.principal.id, taskId, mediaBuyId: null, config: { url: receiver.url } });
    await queueTaskWebhook(ctx, { taskId });
    return (await db.select({ id: webhookDeliveries.id }).from(webhookDeliveries))[0]?.id ?? "";
  });
  return { receiver, deliveryId, event: { name: "greenlight/webhook.queued", data: { tenantId: publisher.tenantId, deliveryId } } };
}

describe("the worker with an Inngest server", () => {
  test("registers its functions with the signing key, again until the server takes them", () => {
    const registrations = recorded.filter(({ path }) => path.startsWith("/fn/register"));
    expect(registrations).toHaveLength(3);
    const { url, functions } = registrationSchema.parse(registrations.at(-1)?.body);
    expect(url).toBe("https://worker.internal.example/api/inngest");
    expect(functions.map(({ id }) => id).sort()).toEqual(["check-governance", "clock", "converge-fulfilment", "converge-fulfilment-failure", "deliver-webhook", "housekeeping", "read-inventory-list", "send-reports", "sync-job", "sync-job-failure"].map((id) => `greenlight-${id}`));
    expect(functions.find(({ id }) => id === "greenlight-converge-fulfilment")).toMatchObject({ concurrency: { key: "event.data.adapterConfigId", limit: 4 } });
    expect(functions[0]?.steps.step.runtime.url).toContain("https://worker.internal.example/api/inngest?fnId=");
    expect(registrations.at(-1)?.headers.authorization).toBe(`Bearer ${createHash("sha256").update(Buffer.from(SIGNING_KEY, "hex")).digest("hex")}`);
  });

  test("the relay's events go to the server under their own ids", async () => {
    const { event, deliveryId, receiver } = await queueDelivery();
    const relay = await startRelay({ send: (events) => background.send(events), log });
    const sent = await waitFor("the event", () => recorded.filter(({ path }) => path === `/e/${EVENT_KEY}`).flatMap(({ body }) => eventsSchema.parse(body)).find(({ id }) => id === `webhook.queued:${deliveryId}:first`));
    await relay.stop();
    await receiver.close();
    expect(sent).toMatchObject(event);
  });

  test("a signed call runs one step, and the answer is signed", async () => {
    const { event, receiver } = await queueDelivery();
    const first = await call("greenlight-deliver-webhook", event, {}, sign);
    expect(first.status).toBe(206);
    expect(first.body).toMatchObject([{ op: "StepRun", displayName: "attempt 0", data: { next: "stop", state: "delivered" } }]);
    expect(first.signature).toMatch(/^t=\d+&s=[0-9a-f]{64}$/);
    const [step] = z.array(z.object({ id: z.string(), data: z.unknown() })).parse(first.body);
    const second = await call("greenlight-deliver-webhook", event, { [step?.id ?? ""]: { type: "data", data: step?.data } }, sign);
    expect([second.status, second.body]).toEqual([200, { next: "stop", state: "delivered" }]);
    await receiver.close();
    expect(receiver.received).toHaveLength(1);
  });

  test.each([
    ["clock", ["flights", "webhooks", "sync jobs", "governance", "inventory lists", "delivery", "availability", "fulfilments"]],
    ["housekeeping", ["idempotency answers", "signature nonces", "rate buckets", "previews", "outbox", "webhook bodies", "buyers' calls", "sync jobs", "signing keys", "engine"]],
  ])("the schedule %s does all its work", async (name, expected) => {
    const tick = { name: "inngest/scheduled.timer", data: {} };
    const opsSchema = z.array(z.object({ id: z.string(), op: z.string(), displayName: z.string(), data: z.unknown() }));
    const done: Record<string, unknown> = {};
    const names: string[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      const answer = await call(`greenlight-${name}`, tick, done, sign);
      if (answer.status === 200) break;
      for (const planned of opsSchema.parse(answer.body)) {
        const [ran] = planned.op === "StepPlanned" ? opsSchema.parse((await call(`greenlight-${name}`, tick, done, sign, planned.id)).body) : [planned];
        expect(ran).toMatchObject({ op: "StepRun" });
        names.push(planned.displayName);
        done[planned.id] = { type: "data", data: ran?.data };
      }
    }
    expect(names).toEqual(expected);
  });

  test.each<[string, (body: string) => string | undefined]>([
    ["without a signature", () => undefined],
    ["signed with another key", (body) => sign(body, "00".repeat(32))],
    ["whose body was changed", () => sign("{}")],
    ["signed an hour ago", (body) => sign(body, SIGNING_KEY, Math.floor(Date.now() / 1_000) - 3_600)],
    ["with nonsense for a signature", () => "t=1&s=2"],
  ])("a call %s is 401 and runs nothing", async (_what, signature) => {
    const { event, receiver } = await queueDelivery();
    expect((await call("greenlight-deliver-webhook", event, {}, signature)).status).toBe(401);
    await receiver.close();
    expect(receiver.received).toEqual([]);
  });

  test("nobody outside can make it register, and there is nothing else on the port", async () => {
    const before = recorded.length;
    const origin = `http://127.0.0.1:${background.port()}`;
    expect((await fetch(`${origin}/api/inngest`, { method: "PUT" })).status).toBe(401);
    for (const path of ["/", "/api/inngest/x", "/health", "/mcp"]) expect((await fetch(`${origin}${path}`)).status).toBe(404);
    expect(recorded).toHaveLength(before);
  });
});
