import { createServer, type Server, type ServerResponse } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { adServerDriver } from "../drivers";
import { AdServerError, type Call, type DesiredOrder, type Operation } from "../types";
import { bookableOrder, converge, inDays, KIND, makeCreative, NETWORK, startGam, type Gam } from "@/test/gam";
import { createClient } from "@/simulators/gam/test-client";
import { plan } from "./plan";

let gam: Gam;
let desired: DesiredOrder;
beforeAll(async () => {
  gam = await startGam(adServerDriver(KIND));
});
afterAll(() => gam.close());
beforeEach(async () => {
  await gam.reset();
  desired = bookableOrder(await gam.inventory(), {}, [{ creatives: [makeCreative(), makeCreative()] }, { productName: "Sport" }]);
});

/** One order, one line item a package, one creative and one association an assignment. */
async function expectExactlyOne(): Promise<void> {
  const count = async (collection: string) => (await gam.rows(collection)).length;
  expect([await count("orders"), await count("lineItems"), await count("creatives"), await count("associations")]).toEqual([1, 2, 3, 3]);
}

async function failureOf(work: Promise<unknown>): Promise<AdServerError> {
  const error = await work.then(() => undefined, (reason: unknown) => reason);
  if (!(error instanceof AdServerError)) throw new Error(`Expected an AdServerError, got ${String(error)}`);
  return error;
}

function firstOperation(order = desired): Operation {
  const planned = plan(order, { objects: [] }, new Date());
  const operation = planned.outcome === "operations" ? planned.operations[0] : undefined;
  if (!operation) throw new Error("Nothing is planned");
  return operation;
}

const execute = (operation: Operation, changes: Partial<Call> = {}, attempts = 1) => gam.driver.execute({ kind: operation.kind, payload: operation.payload, attempts }, gam.call(changes));

const CREATES = ["/orders:batchCreate", "/lineItems:batchCreate", "/networks/[0-9]+/creatives:batchCreate", "/lineItems/-/creatives:batchCreate", "/orders:batchApprove"];

describe("what may have happened is looked up before it is repeated", () => {
  test.each(CREATES)("a reply to %s that is lost after the commit", async (path) => {
    await gam.addFault({ kind: "dropAfterCommit", match: { path }, count: 1 });
    const { errors, applied } = await converge(gam, desired);
    expect(errors).toMatchObject([{ code: "connection_lost", options: { isAmbiguous: true, isPermanent: false } }]);
    await expectExactlyOne();
    expect((await gam.driver.observe(desired, applied, gam.call())).differences).toEqual([]);
  });

  test.each([
    ["dropped before the commit", { kind: "dropBeforeCommit" }, "connection_lost"],
    ["never answered, and not done", { kind: "noReply" }, "timeout"],
    ["never answered, but done", { kind: "noReply", commit: true }, "timeout"],
    ["answered with garbage, and not done", { kind: "garbage" }, "unreadable_answer"],
    ["answered with garbage, but done", { kind: "garbage", commit: true }, "unreadable_answer"],
    ["answered with 500", { kind: "internal" }, "server_error"],
    ["answered with 503", { kind: "unavailable" }, "server_error"],
  ])("a write that is %s", async (_name, fault, code) => {
    await gam.addFault({ ...fault, match: { method: "POST", path: "batchCreate" }, count: 3 });
    // Time enough for all that is answered.
    const { errors } = await converge(gam, desired, { objects: [] }, fault.kind === "noReply" ? { deadlineMs: 1_500 } : {});
    expect(errors.map((error) => error.code)).toEqual([code, code, code]);
    expect(errors.every(({ options }) => options.isAmbiguous)).toBe(true);
    await expectExactlyOne();
  });

  test("an advertiser whose creation got no answer", async () => {
    await gam.addFault({ kind: "dropAfterCommit", match: { path: "/companies:batchCreate" }, count: 1 });
    await converge(gam, bookableOrder(await gam.inventory(), { advertiserExternalId: null, advertiserToCreate: "Once AG" }));
    expect((await gam.rows("companies")).filter(({ displayName }) => displayName === "Once AG")).toHaveLength(1);
  });

  test("a commit whose reply is lost and that is not listed at once", async () => {
    await gam.addFault({ kind: "dropAfterCommit", match: { path: "batchCreate" }, count: 4 });
    await gam.addFault({ kind: "delayedVisibility", ms: 150, match: { path: "batchCreate" } });
    await converge(gam, desired, { objects: [] }, { connection: { networkCode: NETWORK, lookUpPauseMs: 250 } });
    await expectExactlyOne();
  });

  test("things that are listed late are waited for by the operations that need them", async () => {
    await gam.addFault({ kind: "delayedVisibility", ms: 3_600_000, match: { path: "batchCreate" } });
    // An hour of the ad server's own, of which each request takes a part.
    const { errors } = await converge(gam, desired, { objects: [] }, { takeRate: async () => void (await gam.admin("POST", "/clock", { advanceMs: 1_000_000 })) });
    expect([...new Set(errors.map(({ code }) => code))]).toEqual(["not_visible_yet"]);
    expect(errors.some(({ options }) => options.isAmbiguous || options.isPermanent)).toBe(false);
    await expectExactlyOne();
  });

  test("a batch that is refused half-way: only what is missing is created next time", async () => {
    await gam.addFault({ kind: "batchFailAt", index: 1, atomic: false, match: { path: "lineItems:batchCreate" }, count: 1 });
    expect((await failureOf(converge(gam, desired))).options.isPermanent).toBe(true);
    expect(await gam.rows("lineItems")).toHaveLength(1);
    await converge(gam, desired);
    await expectExactlyOne();
  });

  test("an order that an earlier attempt created under an older name is used and renamed", async () => {
    await gam.addFault({ kind: "dropAfterCommit", match: { path: "/orders:batchCreate" }, count: 1 });
    await failureOf(execute(firstOperation()));
    const renamed = { ...desired, name: `Renamed ${desired.suffix}`, poNumber: null };
    await converge(gam, renamed);
    expect(await gam.rows("orders")).toMatchObject([{ displayName: renamed.name }]);
    await expectExactlyOne();
  });

  test("an order is found again although the account's advertiser was changed meanwhile", async () => {
    await gam.addFault({ kind: "dropAfterCommit", match: { path: "/orders:batchCreate" }, count: 1 });
    await failureOf(execute(firstOperation()));
    const other = (await gam.rows("companies")).find(({ displayName }) => displayName === "Nova Motors");
    const result = await execute(firstOperation({ ...desired, advertiserExternalId: other?.name.split("/").at(-1) ?? "" }), {}, 2);
    expect(result).toMatchObject({ outcome: "done", objects: [{ applied: { advertiserId: desired.advertiserExternalId } }] });
    expect(await gam.rows("orders")).toHaveLength(1);
  });
});

describe("what a person must decide", () => {
  test("an order of others under our number", async () => {
    const stranger = bookableOrder(await gam.inventory(), { externalOrderNumber: desired.externalOrderNumber });
    await converge(gam, stranger);
    const { last } = await converge(gam, desired);
    expect(last).toMatchObject({ outcome: "blocked", code: "foreign_order", choices: [{ id: "retry" }, { id: "give_up" }], correlationId: expect.any(String) });
    expect(await gam.rows("orders")).toHaveLength(1);
  });

  test("not enough inventory: overbook or skip the check", async () => {
    await gam.addFault({ kind: "notEnoughInventory" });
    const short = await converge(gam, desired);
    expect(short.last).toMatchObject({ outcome: "blocked", code: "not_enough_inventory", choices: [{ id: "overbook" }, { id: "skip_inventory_check" }, { id: "give_up" }] });
    expect(await gam.rows("orders")).toMatchObject([{ status: "DRAFT" }]);
    await converge(gam, { ...desired, isOverbookingAllowed: true }, short.applied);
    expect(await gam.rows("orders")).toMatchObject([{ status: "APPROVED" }]);
    const another = bookableOrder(await gam.inventory(), { isInventoryCheckSkipped: true });
    expect((await converge(gam, another)).last?.outcome).toBe("done");
    const requests = await gam.journal("orders:batchApprove");
    expect(requests.map(({ path, body }) => [path.split(":").at(-1), body])).toEqual([
      ["batchApprove", { names: [expect.any(String)] }], ["batchApproveAndOverbook", { names: [expect.any(String)] }], ["batchApprove", { names: [expect.any(String)], skipInventoryCheck: true }],
    ]);
  });

  test("an order that somebody disapproved in the ad server", async () => {
    const submitted = await converge(gam, desired, { objects: [] }, { credentials: await makeAccount({ canApprove: false }) });
    const [order] = await gam.rows("orders");
    const client = await createClient(gam.simulator);
    await client.post("/orders:batchDisapprove", { names: [order?.name ?? ""] });
    expect((await converge(gam, desired, submitted.applied)).last).toMatchObject({ outcome: "blocked", code: "order_disapproved", choices: [{ id: "retry" }, { id: "give_up" }] });
  });
});

/** A key of an account of its own. */
async function makeAccount({ email = "own@sim.example", canApprove = true } = {}): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await gam.admin("POST", "/service-accounts", { email, publicKey: publicKey.export({ type: "spki", format: "pem" }), networks: [NETWORK], canApprove });
  return JSON.stringify({ type: "service_account", client_email: email, private_key: privateKey.export({ type: "pkcs8", format: "pem" }) });
}

describe("what is waited for", () => {
  test("approval by somebody else, where the service account may not approve", async () => {
    const credentials = await makeAccount({ canApprove: false });
    const submitted = await converge(gam, desired, { objects: [] }, { credentials });
    expect(submitted.last).toMatchObject({ outcome: "wait", reason: expect.stringContaining("waits for approval") });
    expect(await gam.rows("orders")).toMatchObject([{ status: "PENDING_APPROVAL" }]);
    expect((await converge(gam, desired, submitted.applied, { credentials })).last?.outcome).toBe("wait");
    expect(await gam.journal("batchSubmitForApproval")).toHaveLength(1);

    const [order] = await gam.rows("orders");
    const client = await createClient(gam.simulator);
    await client.post("/orders:batchApprove", { names: [order?.name ?? ""] });
    const approved = await converge(gam, desired, submitted.applied, { credentials });
    expect(approved.last?.outcome).toBe("done");
    expect((await gam.driver.observe(desired, approved.applied, gam.call())).differences).toEqual([]);
  });

  test("a forecast that is not ready, at approval and at a change of what is reserved", async () => {
    await gam.addFault({ kind: "noForecastYet", count: 1 });
    const first = await converge(gam, desired);
    expect(first.last).toMatchObject({ outcome: "wait", reason: expect.stringContaining("no forecast") });
    const second = await converge(gam, desired, first.applied);
    expect(second.operations.map(({ key }) => key)).toEqual(["approve-order:0"]);
    expect(second.last?.outcome).toBe("done");

    await gam.addFault({ kind: "noForecastYet", count: 1 });
    const more = { ...desired, lines: desired.lines.map((line) => ({ ...line, units: "200000" })) };
    expect((await converge(gam, more, second.applied)).last?.outcome).toBe("wait");
    expect((await converge(gam, more, second.applied)).last?.outcome).toBe("done");
  });

  test("a pause is not held up by the approval of a package that was added", async () => {
    const { applied } = await converge(gam, desired);
    await gam.addFault({ kind: "noForecastYet" });
    const added = bookableOrder(await gam.inventory(), {}, [{ productName: "Late" }]).lines;
    const { last } = await converge(gam, { ...desired, isPaused: true, lines: [...desired.lines, ...added] }, applied);
    expect(last?.outcome).toBe("wait");
    expect((await gam.rows("lineItems")).map(({ status }) => status)).toEqual(["PAUSED", "PAUSED", "INACTIVE"]);
  });
});

describe("errors say what happened", () => {
  test("429: not ambiguous, 5 s, then longer", async () => {
    await gam.addFault({ kind: "rateLimit", perSecond: 0.001, burst: 1 });
    await failureOf(execute(firstOperation()));
    const delays = [];
    for (const attempts of [1, 2, 3, 10]) delays.push((await failureOf(execute(firstOperation(), {}, attempts))).options);
    expect(delays.map(({ retryAfterMs }) => retryAfterMs)).toEqual([5_000, 10_000, 20_000, 300_000]);
    expect(delays.every(({ isAmbiguous, isPermanent, httpStatus }) => !isAmbiguous && !isPermanent && httpStatus === 429)).toBe(true);
  });

  test("a revoked key", async () => {
    const credentials = await makeAccount({ email: "gone@sim.example" });
    expect((await gam.driver.testConnection(gam.call({ credentials }))).networkName).toBe("Demo Publisher (simulated)");
    await gam.admin("DELETE", "/service-accounts/gone%40sim.example");
    const error = await failureOf(execute(firstOperation(), { credentials }));
    expect(error).toMatchObject({ code: "credentials_refused", options: { isPermanent: true, isAmbiguous: false, httpStatus: 401, correlationId: expect.any(String) } });
    expect(error.message).toContain("revoked");
  });

  test("a network that the key does not open", async () => {
    const error = await failureOf(gam.driver.testConnection(gam.call({ connection: { networkCode: "21700000002" } })));
    expect(error).toMatchObject({ code: "permission_denied", options: { isPermanent: true } });
  });

  test("a currency that is not the network's, in words", async () => {
    const error = await failureOf(converge(gam, { ...desired, lines: desired.lines.map((line) => ({ ...line, currency: "EUR" })) }));
    expect(error).toMatchObject({ code: "refused", options: { isPermanent: true, isAmbiguous: false, httpStatus: 400 } });
    expect(error.message).toContain("rate.currencyCode: The network's currency is USD (LINE_ITEM_ERROR_INVALID_CURRENCY)");
  });

  test("a concurrent change is made again", async () => {
    const { applied } = await converge(gam, desired);
    await gam.addFault({ kind: "concurrentModification", count: 1 });
    const changed = { ...desired, lines: desired.lines.map((line) => ({ ...line, endsAt: inDays(50) })) };
    const { errors, applied: after } = await converge(gam, changed, applied);
    expect(errors).toMatchObject([{ code: "concurrent_modification", options: { isPermanent: false, isAmbiguous: false } }]);
    expect((await gam.driver.observe(changed, after, gam.call())).isInSync).toBe(true);
  });

  test("an order that was archived in the ad server takes no changes", async () => {
    const { applied } = await converge(gam, desired);
    await converge(gam, { ...desired, isEnded: true }, applied);
    expect(await failureOf(converge(gam, { ...desired, lines: desired.lines.map((line) => ({ ...line, units: "1" })) }, applied))).toMatchObject({ code: "archived", options: { isPermanent: true } });
  });

  test("credentials that cannot be read or cannot sign, without quoting them", async () => {
    for (const credentials of ["not json", JSON.stringify({ type: "service_account", client_email: "a@b.example", private_key: "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n" })]) {
      const error = await failureOf(execute(firstOperation(), { credentials }));
      expect(error).toMatchObject({ code: "credentials_invalid", options: { isPermanent: true } });
      expect(`${error.message} ${String(error.cause)}`).not.toMatch(/c2VjcmV0|not json/);
    }
  });

  test("an operation of another release", async () => {
    expect(await failureOf(gam.driver.execute({ kind: "create-spaceship", payload: {}, attempts: 1 }, gam.call()))).toMatchObject({ code: "unknown_operation", options: { isPermanent: true } });
  });
});

describe("the connection", () => {
  let server: Server | undefined;
  let requests = 0;
  async function serve(answer: (response: ServerResponse) => void, changes: Partial<Call> = {}): Promise<Partial<Call>> {
    requests = 0;
    server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
      requests += 1;
      request.resume().on("end", () => answer(response));
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    return { baseUrl: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, ...changes };
  }
  beforeEach(() => new Promise<void>((resolve) => {
    server?.closeAllConnections();
    if (server) server.close(() => resolve());
    else resolve();
    server = undefined;
  }));
  afterAll(() => server?.close());

  test("follows no redirect", async () => {
    const call = await serve((response) => response.writeHead(302, { location: "http://127.0.0.1:1/v1/networks" }).end());
    expect(await failureOf(execute(firstOperation(), call))).toMatchObject({ code: "unreadable_answer", options: { httpStatus: 302 } });
    expect(requests).toBe(1);
  });

  test("cuts off a body that never ends", async () => {
    const call = await serve((response) => response.writeHead(200, { "content-type": "application/json" }).write('{"orders": ['), { deadlineMs: 300 });
    const startedAt = Date.now();
    expect(await failureOf(execute(firstOperation(), call))).toMatchObject({ code: "timeout" });
    expect(Date.now() - startedAt).toBeLessThan(60_000);
  });

  test("that is refused was never sent: nothing is ambiguous", async () => {
    const call = await serve((response) => response.end());
    await new Promise<void>((resolve) => server?.close(() => resolve()));
    expect(await failureOf(execute(firstOperation(), call))).toMatchObject({ code: "unreachable", options: { isAmbiguous: false, isPermanent: false } });
  });

  test("ends with the caller's signal", async () => {
    const call = await serve(() => undefined);
    const controller = new AbortController();
    const failure = failureOf(execute(firstOperation(), { ...call, deadlineMs: 60_000, signal: controller.signal }));
    controller.abort();
    expect((await failure).code).toBe("timeout");
  });

  test("asks for its rate before each request", async () => {
    let taken = 0;
    const takeRate = async () => {
      taken += 1;
    };
    await converge(gam, desired, { objects: [] }, { takeRate });
    expect(taken).toBe((await gam.journal("", "POST")).length + (await gam.journal("", "GET")).length);
  });
});
