import { and, eq, inArray } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { ACCOUNT, asActor, asBuyer, asSystem, change, days, decide, homepage, list, NOW, order, place, readBuy, review, staff } from "@/test/fixtures/orders";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { approval, denial, type GovernanceAgent, startGovernanceAgent } from "@/test/governance-agent";
import { failure } from "@/test/staff";
import { syncAccounts } from "../accounts/sync";
import { withdrawMediaBuy } from "../approvals/withdraw";
import { withTenant } from "../db/client";
import { outbox } from "../events/schema";
import { log } from "../log";
import { loadTask } from "../media-buys/tasks";
import { toWireId } from "../ids";
import { addMs, DAY_MS, HOUR_MS, MINUTE_MS } from "../time";
import { resolveByDns } from "../webhooks/address";
import { webhookDeliveries } from "../webhooks/schema";
import { syncGovernance } from "./agents";
import { RETRY_DELAYS_MS, runReview } from "./run";
import { governanceAgents, governanceChecks, governanceReviews } from "./schema";
import { resolveGovernance } from "./stopped";
import { wakeLostReviews } from "./sweep";

useTestDatabase();
const CREDENTIALS = "gov-token-of-more-than-thirty-two-characters";
const agents: GovernanceAgent[] = [];
let publisher: PublisherFixture;
let agent: GovernanceAgent;
let now: Date;

beforeEach(async () => {
  now = NOW;
  publisher = await createPublisher({ isReviewRequired: false });
  agent = await open();
});
afterEach(() => Promise.all(agents.splice(0).map((open) => open.close())));

async function open(): Promise<GovernanceAgent> {
  const started = await startGovernanceAgent();
  agents.push(started);
  return started;
}

const governing = () => ({ transact: withTenant, now: () => now, log, resolve: resolveByDns });
const register = (...urls: string[]) => asBuyer(publisher, (ctx) => syncGovernance(ctx, publisher.session, [{ account: ACCOUNT, governance_agents: urls.map((url) => ({ url, authentication: { schemes: ["Bearer"], credentials: CREDENTIALS }, categories: ["budget_authority"] })) }]), now);

/** An order under a plan, which the agents have yet to see. */
async function placeGoverned(overrides: Record<string, unknown> = {}, ...packages: Record<string, unknown>[]) {
  const outcome = await place(publisher, order({ plan_id: "plan-7", governance_context: "token-of-the-buyer", ...overrides }, ...packages), now);
  if (outcome.outcome !== "submitted") throw new Error("The order was not submitted.");
  const [row] = await asSystem(publisher, ({ db, tenantId }) => db.select({ id: governanceReviews.id }).from(governanceReviews).where(and(eq(governanceReviews.tenantId, tenantId), eq(governanceReviews.mediaBuyId, outcome.mediaBuyId))));
  if (!row) throw new Error("Nobody is asked.");
  return { ...outcome, reviewId: row.id };
}
const run = ({ reviewId }: { reviewId: string }) => runReview(governing(), { tenantId: publisher.tenantId, reviewId });
const readTask = ({ taskId }: { taskId: string }) => asBuyer(publisher, (ctx) => loadTask(ctx, publisher.session, toWireId("task", taskId)));
const checksOf = ({ reviewId }: { reviewId: string }) => asSystem(publisher, ({ db, tenantId }) => db.select().from(governanceChecks).where(and(eq(governanceChecks.tenantId, tenantId), eq(governanceChecks.reviewId, reviewId))));
const eventsOf = (name: string) => asSystem(publisher, ({ db, tenantId }) => db.select().from(outbox).where(and(eq(outbox.tenantId, tenantId), eq(outbox.name, name))));

/** Runs rounds at the times that they ask for, until they stop. */
async function runToEnd(placed: { reviewId: string }): Promise<number[]> {
  const delays: number[] = [];
  for (let step = await run(placed); step.next === "later"; step = await run(placed)) {
    delays.push(step.delayMs);
    now = addMs(now, step.delayMs);
  }
  return delays;
}

describe("an order of an account with a governance agent", () => {
  test("is submitted without asking anybody, hidden from the buyer, and confirmed once the agent approves", async () => {
    await register(agent.url);
    const placed = await placeGoverned();
    expect(placed.payload).toMatchObject({ status: "submitted", task_id: toWireId("task", placed.taskId) });
    expect(agent.asked).toEqual([]);
    expect((await list(publisher, { status_filter: ["pending_start", "pending_creatives", "active"] })).media_buys).toEqual([]);
    expect(await eventsOf("greenlight/governance.requested")).toHaveLength(1);
    expect(await eventsOf("greenlight/fulfilment.changed")).toEqual([]);

    expect(await run(placed)).toEqual({ next: "stop" });
    const [asked] = agent.asked;
    expect(asked?.headers.authorization).toBe(`Bearer ${CREDENTIALS}`);
    expect(asked?.request).toEqual({
      plan_id: "plan-7", caller: "http://127.0.0.1:3000/mcp", purchase_type: "media_buy", phase: "purchase", governance_context: "token-of-the-buyer",
      planned_delivery: { channels: ["display"], start_time: days(2), end_time: days(32), total_budget: 1000, currency: "USD" },
    });
    const { buy } = await readBuy(publisher, placed.mediaBuyId);
    expect(buy).toMatchObject({ status: "pending_creatives", confirmedAt: now });
    expect(await eventsOf("greenlight/fulfilment.changed")).toHaveLength(1);
    const task = await readTask(placed);
    expect(task).toMatchObject({ status: "completed", result: { media_buy_id: toWireId("mediaBuy", placed.mediaBuyId), governance_context: "token-of-the-agent", ext: { governance: { plan_id: "plan-7", checks: [{ status: "approved", check_id: "chk_1" }] } } } });
    expect(await run(placed)).toEqual({ next: "stop" });
    expect(agent.asked).toHaveLength(1);
  });

  test("is rejected when the agent denies it, with the agent's own findings", async () => {
    agent.react(denial);
    await register(agent.url);
    const placed = await placeGoverned({ push_notification_config: { url: "https://buyer.example/hook" } });
    await run(placed);
    expect((await readBuy(publisher, placed.mediaBuyId)).buy).toMatchObject({ status: "rejected", confirmedAt: null });
    expect(await readTask(placed)).toMatchObject({ status: "rejected", error: {
      code: "GOVERNANCE_DENIED", message: "The plan's budget is spent.", recovery: "correctable",
      details: { check_id: "chk_2", findings: [{ category_id: "budget_compliance", severity: "critical", explanation: "Budget exceeded by 500 USD.", details: { remaining: 0 } }] },
    } });
    const told = await asSystem(publisher, ({ db, tenantId }) => db.select().from(webhookDeliveries).where(and(eq(webhookDeliveries.tenantId, tenantId), eq(webhookDeliveries.taskId, placed.taskId))));
    expect(told).toMatchObject([{ body: { status: "rejected", result: { errors: [{ code: "GOVERNANCE_DENIED" }] } } }]);
    expect(await eventsOf("greenlight/fulfilment.changed")).toEqual([]);
  });

  test("goes before the publisher's staff where the product asks for review, and tells them what the agent said", async () => {
    const reviewed = await createPublisher({ isReviewRequired: true });
    publisher = reviewed;
    agent.react((request) => approval(request, { findings: [{ category_id: "budget_compliance", severity: "info", explanation: "Nine tenths of the budget are used." }] }));
    await register(agent.url);
    const placed = await placeGoverned();
    expect((await review(publisher, placed.mediaBuyId, now)).openStep).toBeNull();
    await run(placed);
    const seen = await review(publisher, placed.mediaBuyId, now);
    expect(seen.openStep?.kind).toBe("media_buy_approval");
    expect(seen.checks.find(({ name }) => name === "governance")).toMatchObject({ outcome: "warn", message: expect.stringContaining("Nine tenths") as string });
    expect(seen.timeline.map(({ title }) => title)).toContain("127.0.0.1:" + new URL(agent.url).port + " agreed");
    expect(await readTask(placed)).toMatchObject({ status: "submitted" });
    await decide(publisher, placed.mediaBuyId, "approve", { now });
    expect(await readTask(placed)).toMatchObject({ status: "completed", result: { governance_context: "token-of-the-agent" } });
  });

  test("cannot be approved on an approval that lapsed; the agent is asked again, and may refuse now", async () => {
    publisher = await createPublisher({ isReviewRequired: true });
    agent.react((request) => approval(request, { expires_at: addMs(NOW, HOUR_MS).toISOString() }));
    await register(agent.url);
    const placed = await placeGoverned();
    await run(placed);
    now = addMs(NOW, 2 * HOUR_MS);
    expect((await failure(decide(publisher, placed.mediaBuyId, "approve", { now }))).code).toBe("INVALID_STATE");
    await wakeLostReviews(governing());
    agent.react((request) => approval(request));
    await run(placed);
    expect(agent.asked.at(-1)?.request.governance_context).toBe("token-of-the-agent");
    expect((await review(publisher, placed.mediaBuyId, now)).checks.find(({ name }) => name === "governance")).toMatchObject({ outcome: "pass" });

    const other = await placeGoverned();
    agent.react((request) => approval(request, { expires_at: addMs(now, HOUR_MS).toISOString() }));
    await run(other);
    now = addMs(now, 2 * HOUR_MS);
    agent.react(denial);
    await wakeLostReviews(governing());
    await run(other);
    const seen = await review(publisher, other.mediaBuyId, now);
    expect(seen.mediaBuy.status).toBe("rejected");
    expect(seen.openStep).toBeNull();
  });

  test("whose flight is over before the agent agrees is rejected rather than confirmed", async () => {
    await register(agent.url);
    const placed = await placeGoverned({ start_time: days(1), end_time: days(2) });
    now = addMs(NOW, 2 * DAY_MS);
    agent.react((request) => approval(request, { expires_at: addMs(now, DAY_MS).toISOString() }));
    await run(placed);
    expect(await readTask(placed)).toMatchObject({ status: "rejected", error: { code: "VALIDATION_ERROR", field: "end_time" } });
  });
});

test("that the buyer withdraws while its agents are asked is never confirmed, and leaves nothing for staff", async () => {
  agent.react({ status: 401 });
  await register(agent.url);
  const placed = await placeGoverned();
  await run(placed);
  await asBuyer(publisher, (ctx) => withdrawMediaBuy(ctx, publisher.session, { taskId: toWireId("task", placed.taskId) }));
  expect((await review(publisher, placed.mediaBuyId, now)).openStep).toBeNull();
  agent.react((request) => approval(request));
  await register(agent.url);
  await run(placed);
  expect(await readTask(placed)).toMatchObject({ status: "canceled" });
  expect((await readBuy(publisher, placed.mediaBuyId)).buy).toMatchObject({ status: "canceled", confirmedAt: null });
});

describe("conditions", () => {
  test("that the order already meets, and advice, go to the buyer with the confirmation", async () => {
    const conditions = [{ field: "planned_delivery.currency", required_value: "USD", reason: "Dollars only." }, { field: "reporting", reason: "Report weekly." }];
    agent.react((request) => approval(request, { status: "conditions", conditions }));
    await register(agent.url);
    const placed = await placeGoverned();
    await run(placed);
    expect(await readTask(placed)).toMatchObject({ status: "completed", result: { ext: { governance: { checks: [{ status: "conditions", conditions }] } } } });
  });

  test("that it does not meet end the task, so that the buyer can place it as required", async () => {
    const conditions = [{ field: "total_budget", required_value: 800, reason: "At most 800." }];
    agent.react((request) => approval(request, { status: "conditions", conditions }));
    await register(agent.url);
    const placed = await placeGoverned();
    await run(placed);
    expect(await readTask(placed)).toMatchObject({ status: "rejected", error: { code: "GOVERNANCE_DENIED", recovery: "correctable", details: { conditions } } });
    agent.react((request) => approval(request));
    const again = await placeGoverned({}, homepage({ budget: 800 }));
    await run(again);
    expect(await readTask(again)).toMatchObject({ status: "completed" });
  });
});

describe("several agents", () => {
  test("must all agree: one that is silent holds the order up, one that denies ends it", async () => {
    const second = await open();
    second.react({ status: 503 });
    await register(agent.url, second.url);
    const placed = await placeGoverned();
    expect(await run(placed)).toMatchObject({ next: "later" });
    expect(await readTask(placed)).toMatchObject({ status: "submitted" });
    second.react(denial);
    now = addMs(now, MINUTE_MS);
    await run(placed);
    expect(agent.asked).toHaveLength(1);
    expect(await readTask(placed)).toMatchObject({ status: "rejected", error: { code: "GOVERNANCE_DENIED" } });
  });
});

describe("an agent that gives no decision", () => {
  test.each<[string, Parameters<GovernanceAgent["react"]>[0]]>([
    ["is away", "silence"], ["answers 500", { status: 500 }], ["answers nonsense", { decision: { hello: "world" } }], ["speaks of another plan", (request) => approval(request, { plan_id: "plan-8" })],
    ["approves until yesterday", (request) => approval(request, { expires_at: addMs(NOW, -DAY_MS).toISOString() })], ["has suspended the campaign", { error: { code: "CAMPAIGN_SUSPENDED", message: "Under review." } }],
  ])("because it %s is asked again, ever later, until a person must choose", async (_why, reaction) => {
    agent.react(reaction);
    await register(agent.url);
    const placed = await placeGoverned();
    expect(await runToEnd(placed)).toEqual(RETRY_DELAYS_MS);
    expect(await readTask(placed)).toMatchObject({ status: "submitted" });
    const { openStep } = await review(publisher, placed.mediaBuyId, now);
    expect(openStep).toMatchObject({ kind: "governance_stopped", payload: { code: "governance_unavailable", choices: [{ id: "ask_again" }, { id: "give_up" }] } });

    const stepId = openStep?.id ?? "";
    expect((await failure(asActor(publisher, staff("viewer"), (ctx) => resolveGovernance(ctx, { stepId, choiceId: "ask_again" }), now))).code).toBe("PERMISSION_DENIED");
    await asActor(publisher, staff("trafficker"), (ctx) => resolveGovernance(ctx, { stepId, choiceId: "ask_again" }), now);
    expect((await failure(asActor(publisher, staff("trafficker"), (ctx) => resolveGovernance(ctx, { stepId, choiceId: "ask_again" }), now))).code).toBe("CONFLICT");
    agent.react((request) => approval(request));
    await run(placed);
    expect(await readTask(placed)).toMatchObject({ status: "completed" });
  });

  test("may cost the order its acceptance, when staff say so, never be passed over", async () => {
    agent.react({ status: 401 });
    await register(agent.url);
    const placed = await placeGoverned();
    expect(await run(placed)).toEqual({ next: "stop" });
    expect(agent.asked).toHaveLength(1);
    const { openStep } = await review(publisher, placed.mediaBuyId, now);
    expect(openStep?.payload.reason).toContain("refused the credentials");
    await asActor(publisher, staff("trafficker"), (ctx) => resolveGovernance(ctx, { stepId: openStep?.id ?? "", choiceId: "give_up", note: "Ask your governance team." }), now);
    expect(await readTask(placed)).toMatchObject({ status: "rejected", error: { code: "GOVERNANCE_UNAVAILABLE", message: "Ask your governance team.", recovery: "transient" } });
  });

  test("is asked at once with the credentials that the buyer sends anew", async () => {
    agent.react({ status: 401 });
    await register(agent.url);
    const placed = await placeGoverned();
    await run(placed);
    agent.react((request) => approval(request));
    await register(agent.url);
    expect((await review(publisher, placed.mediaBuyId, now)).openStep).toBeNull();
    await run(placed);
    expect(await readTask(placed)).toMatchObject({ status: "completed" });
  });

  test("and is replaced by another is not asked any more", async () => {
    agent.react({ status: 503 });
    await register(agent.url);
    const placed = await placeGoverned();
    await run(placed);
    const second = await open();
    await register(second.url);
    now = addMs(now, HOUR_MS);
    await run(placed);
    expect([agent.asked.length, second.asked.length]).toEqual([1, 1]);
    expect(await readTask(placed)).toMatchObject({ status: "completed" });
  });

  test("does not know the plan: the order is refused with that code", async () => {
    agent.react({ error: { code: "PLAN_NOT_FOUND", message: "No such plan." } });
    await register(agent.url);
    const placed = await placeGoverned();
    await run(placed);
    expect(await readTask(placed)).toMatchObject({ status: "rejected", error: { code: "PLAN_NOT_FOUND", recovery: "correctable" } });
  });

  test("behind a name that points inside is never called", async () => {
    await register("https://governance.evil.example/mcp");
    const placed = await placeGoverned();
    const ask = () => runReview({ ...governing(), resolve: async () => ["169.254.169.254"] }, { tenantId: publisher.tenantId, reviewId: placed.reviewId });
    for (let step = await ask(); step.next === "later"; step = await ask()) now = addMs(now, HOUR_MS);
    expect(agent.asked).toHaveLength(0);
    expect((await checksOf(placed))[0]).toMatchObject({ state: "unanswered", lastError: expect.stringContaining("private network") as string });
  });
});

test("three processes ask once between them", async () => {
  await register(agent.url);
  const placed = await placeGoverned();
  await Promise.all([run(placed), run(placed), run(placed)]);
  expect(agent.asked).toHaveLength(1);
  expect(await readTask(placed)).toMatchObject({ status: "completed" });
});

test("whoever died between the answer and its consequence is found by the clock", async () => {
  await register(agent.url);
  const placed = await placeGoverned();
  const dying = { ...governing(), transact: ((tenantId, work) => (agent.asked.length > 0 ? Promise.reject(new Error("killed")) : withTenant(tenantId, work))) as typeof withTenant };
  await expect(runReview(dying, { tenantId: publisher.tenantId, reviewId: placed.reviewId })).rejects.toThrow("killed");
  now = addMs(now, 5 * MINUTE_MS);
  expect(await wakeLostReviews(governing())).toBe(1);
  await run(placed);
  expect(agent.asked).toHaveLength(2);
  expect(await readTask(placed)).toMatchObject({ status: "completed" });
});

test("a confirmed order takes no more money and no longer flight than the agents agreed to; less, and other changes, it does", async () => {
  await register(agent.url);
  const placed = await placeGoverned();
  await run(placed);
  const media_buy_id = toWireId("mediaBuy", placed.mediaBuyId);
  const [row] = (await readBuy(publisher, placed.mediaBuyId)).packages;
  const package_id = toWireId("package", row?.id ?? "");
  const raised = await failure(change(publisher, { media_buy_id, packages: [{ package_id, budget: 1_001 }] }, now));
  expect([raised.code, raised.field]).toEqual(["UNSUPPORTED_FEATURE", "packages"]);
  expect((await failure(change(publisher, { media_buy_id, new_packages: [homepage()] }, now))).code).toBe("UNSUPPORTED_FEATURE");
  expect((await failure(change(publisher, { media_buy_id, end_time: days(40) }, now))).field).toBe("end_time");
  expect(await change(publisher, { media_buy_id, packages: [{ package_id, budget: 900 }], paused: true }, now)).toMatchObject({ status: "paused", revision: 2 });
});

describe("plans", () => {
  test("a live order of a governed account names one; a sandbox order without one spends nothing and goes on", async () => {
    await register(agent.url);
    expect((await place(publisher, order())).outcome).toBe("confirmed");
    publisher = await createPublisher({ isReviewRequired: false, mode: "live", isSandbox: false });
    await asBuyer(publisher, (ctx) => syncAccounts(ctx, publisher.session, { items: [{ ...ACCOUNT, billing: "operator" }], isDryRun: false, isDeletingMissing: false }));
    await register(agent.url);
    const error = await failure(place(publisher, order()));
    expect([error.code, error.field]).toEqual(["VALIDATION_ERROR", "plan_id"]);
  });

  test("an account without agents is asked for none", async () => {
    expect((await place(publisher, order({ plan_id: "plan-7" }))).outcome).toBe("confirmed");
  });
});

describe("sync_governance", () => {
  test("answers per account, replaces what was named before, and never shows credentials", async () => {
    await register("https://one.example/mcp", "https://two.example/mcp");
    const [result] = await register("https://two.example/mcp");
    expect(result).toEqual({ account: ACCOUNT, status: "synced", governance_agents: [{ url: "https://two.example/mcp", categories: ["budget_authority"] }] });
    const rows = await asSystem(publisher, ({ db, tenantId }) => db.select().from(governanceAgents).where(eq(governanceAgents.tenantId, tenantId)));
    expect(rows.filter(({ archivedAt }) => archivedAt === null).map(({ url }) => url)).toEqual(["https://two.example/mcp"]);
    expect(JSON.stringify(rows)).not.toContain(CREDENTIALS);
  });

  test("an account that is not the buyer's, or an address that may not be called, fails alone", async () => {
    const good = { url: "https://one.example/mcp", authentication: { schemes: ["Bearer"], credentials: CREDENTIALS } };
    const results = await asBuyer(publisher, (ctx) => syncGovernance(ctx, publisher.session, [
      { account: { account_id: "acc_00000000000000000000000000" }, governance_agents: [good] },
      { account: ACCOUNT, governance_agents: [{ ...good, url: "https://10.0.0.1/mcp" }] },
      { account: ACCOUNT, governance_agents: [good] },
    ]));
    expect(results).toMatchObject([
      { status: "failed", errors: [{ code: "ACCOUNT_NOT_FOUND" }] }, { status: "failed", errors: [{ code: "VALIDATION_ERROR", field: "accounts[1].governance_agents[0].url" }] }, { status: "synced" },
    ]);
  });

  test("the answers' tokens are sealed at rest", async () => {
    await register(agent.url);
    const placed = await placeGoverned();
    await run(placed);
    const stored = await asSystem(publisher, async ({ db, tenantId }) => [await db.select().from(governanceReviews).where(eq(governanceReviews.tenantId, tenantId)), await db.select().from(governanceChecks).where(inArray(governanceChecks.tenantId, [tenantId]))]);
    expect(JSON.stringify(stored)).not.toMatch(/token-of-the-(buyer|agent)/);
    expect((await readBuy(publisher, placed.mediaBuyId)).buy.rawRequest).not.toHaveProperty("governance_context");
  });
});
