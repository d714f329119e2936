import { EventEmitter, once } from "node:events";
import { asc, eq, sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { ACCOUNT, asActor, asBuyer, asSystem, banner, change, days, decide, homepage, list, NOW, order, place, readBuy, review, staff } from "@/test/fixtures/orders";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { waitFor } from "@/test/wait";
import { accountAdvertisers } from "../accounts/schema";
import { resolveAccount } from "../accounts/service";
import { adapterConfigs } from "../ad-servers/schema";
import { findResponseProblem } from "../adcp/tool-schemas";
import { createMediaBuyTool } from "../adcp/tools/create-media-buy";
import { auditLog } from "../audit/schema";
import { type StaffRole } from "../context";
import { creatives } from "../creatives/schema";
import { upsertCreatives } from "../creatives/service";
import { outbox } from "../events/schema";
import { newId, toWireId } from "../ids";
import { mediaPackages, tasks } from "../media-buys/schema";
import { presentTask } from "../media-buys/present-task";
import { loadTask } from "../media-buys/tasks";
import { tenants } from "../tenants/schema";
import { webhookDeliveries } from "../webhooks/schema";
import { loadReview } from "./review";
import { workflowSteps } from "./schema";
import { decideMediaBuy } from "./service";

useTestDatabase();

const WEBHOOK = { push_notification_config: { url: "https://buyer.example/hook", operation_id: "op-1" } };

async function waiting(...packages: Record<string, unknown>[]): Promise<{ publisher: PublisherFixture; mediaBuyId: string; taskId: string }> {
  const publisher = await createPublisher({ isReviewRequired: true });
  const result = await place(publisher, order({ ...WEBHOOK, context: { trace: "t-1" } }, ...packages));
  if (result.outcome !== "submitted") throw new Error("It was not submitted.");
  return { publisher, mediaBuyId: result.mediaBuyId, taskId: result.taskId };
}

function stored(publisher: PublisherFixture) {
  return asSystem(publisher, async ({ db }) => ({
    tasks: await db.select().from(tasks), steps: await db.select().from(workflowSteps), deliveries: await db.select().from(webhookDeliveries),
    events: (await db.select({ name: outbox.name }).from(outbox).orderBy(asc(outbox.id))).map((row) => row.name),
  }));
}

describe("approving", () => {
  test("commits the order, its task, the webhook and the start of execution together", async () => {
    const { publisher, mediaBuyId, taskId } = await waiting(homepage({ creatives: [banner()] }));
    const actor = staff("trafficker", "Tara Trafficker");
    await decide(publisher, mediaBuyId, "approve", { actor });
    const { buy, fulfilments } = await readBuy(publisher, mediaBuyId);
    expect(buy).toMatchObject({ status: "pending_start", confirmedAt: NOW, revision: 1, desiredVersion: 2 });
    expect(buy.effectiveStartsAt?.toISOString()).toBe(days(2));
    expect(fulfilments).toMatchObject([{ state: "pending", desiredVersion: 2 }]);
    const after = await stored(publisher);
    expect(after.steps).toMatchObject([{ state: "approved", decision: "approve", decidedBy: actor.userId, decidedByLabel: "Tara Trafficker", decidedAt: NOW }]);
    expect(after.tasks).toMatchObject([{ status: "completed", completedAt: NOW, error: null, result: { media_buy_id: toWireId("mediaBuy", mediaBuyId), status: "pending_start", confirmed_at: NOW.toISOString() } }]);
    expect(after.deliveries).toMatchObject([{ audience: "buyer", taskId, eventKey: `task:${taskId}:completed`, state: "pending", body: { status: "completed", operation_id: "op-1", context: { trace: "t-1" }, result: { media_buy_id: toWireId("mediaBuy", mediaBuyId) } } }]);
    expect([...after.events].sort()).toEqual(["greenlight/fulfilment.changed", "greenlight/webhook.queued"]);
    const entries = await asSystem(publisher, ({ db }) => db.select().from(auditLog).where(eq(auditLog.objectId, mediaBuyId)).orderBy(asc(auditLog.id)));
    expect(entries.at(-1)).toMatchObject({ action: "media_buy.approved", actorLabel: "Tara Trafficker", before: { status: "pending_approval" }, after: { status: "pending_start", revision: 1 } });
  });

  test("the task's result is what an immediate confirmation answers", async () => {
    const { publisher, mediaBuyId, taskId } = await waiting(homepage({ format_ids: [{ agent_url: "https://formats.example", id: "display_300x250_image" }], agency_estimate_number: "E-7" }));
    await decide(publisher, mediaBuyId, "approve");
    const task = await asBuyer(publisher, (ctx) => loadTask(ctx, publisher.session, toWireId("task", taskId)));
    const { result } = presentTask(task) as { result: Record<string, unknown> };
    expect(findResponseProblem(createMediaBuyTool, result)).toBeNull();
    expect(result).toMatchObject({ packages: [{ format_ids: [{ agent_url: "https://formats.example" }], agency_estimate_number: "E-7", impressions: 80_000 }], valid_actions: expect.arrayContaining(["cancel"]) });
  });

  test("a creative that changes while its order is being approved reaches the ad server", async () => {
    const { publisher, mediaBuyId } = await waiting(homepage({ creatives: [banner()] }));
    const seen = await review(publisher, mediaBuyId);
    const steps = new EventEmitter();
    const approved = once(steps, "approved");
    const commit = once(steps, "commit");
    const approving = asActor(publisher, staff("trafficker"), async (ctx) => {
      await decideMediaBuy(ctx, { stepId: seen.openStep?.id ?? "", decision: "approve", shownHash: seen.shownHash });
      steps.emit("approved");
      await commit;
    });
    await Promise.race([approved, approving]);
    const changing = asBuyer(publisher, async (ctx) => upsertCreatives(ctx, { session: publisher.session, account: await resolveAccount(ctx, publisher.session, ACCOUNT), items: [banner("banner-1", { name: "New name" })] }));
    const isWaiting = () => asSystem(publisher, async ({ db }) => (await db.execute(sql`select 1 from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`)).length > 0);
    await Promise.race([changing, waitFor("a wait for the library", isWaiting)]);
    steps.emit("commit");
    await Promise.all([approving, changing]);
    expect(await readBuy(publisher, mediaBuyId)).toMatchObject({ buy: { status: "pending_start" }, fulfilments: [{ desiredVersion: 3 }] });
  });

  test("freezes the start at a quarter of an hour from now when the requested one is too soon", async () => {
    const { publisher, mediaBuyId } = await waiting();
    const late = new Date(days(2.5));
    await decide(publisher, mediaBuyId, "approve", { now: late });
    expect((await readBuy(publisher, mediaBuyId)).buy.effectiveStartsAt).toEqual(new Date(late.getTime() + 15 * 60_000));
  });

  test("is refused when the flight has ended", async () => {
    const { publisher, mediaBuyId } = await waiting();
    const late = new Date(days(33));
    expect(await review(publisher, mediaBuyId, late)).toMatchObject({ canApprove: false });
    await expect(decide(publisher, mediaBuyId, "approve", { now: late })).rejects.toMatchObject({ code: "INVALID_STATE" });
    await decide(publisher, mediaBuyId, "reject", { now: late, reason: "Too late" });
  });

  test("a check that blocks is looked at again at the decision", async () => {
    const { publisher, mediaBuyId } = await waiting();
    const seen = await review(publisher, mediaBuyId);
    expect(seen.canApprove).toBe(true);
    await asSystem(publisher, ({ db }) => db.update(adapterConfigs).set({ status: "failed" }));
    await expect(asActor(publisher, staff("admin"), (ctx) => decideMediaBuy(ctx, { stepId: seen.openStep?.id ?? "", decision: "approve", shownHash: seen.shownHash }))).rejects.toMatchObject({ code: "INVALID_STATE", userMessage: expect.stringContaining("not verified") });
    expect((await readBuy(publisher, mediaBuyId)).buy.status).toBe("pending_approval");
  });
});

describe("refusing", () => {
  test("rejection ends the task with the reason that the buyer reads, and nothing else", async () => {
    const { publisher, mediaBuyId, taskId } = await waiting(homepage({ creatives: [banner()] }));
    await decide(publisher, mediaBuyId, "reject", { reason: "  We do not run this category.  " });
    const { buy, fulfilments } = await readBuy(publisher, mediaBuyId);
    expect(buy).toMatchObject({ status: "rejected", rejectionReason: "We do not run this category.", confirmedAt: null });
    expect(fulfilments).toMatchObject([{ state: "ended" }]);
    const after = await stored(publisher);
    expect(after.tasks).toMatchObject([{ status: "rejected", completedAt: NOW, result: null, error: { code: "ORDER_REJECTED", message: "We do not run this category.", recovery: "terminal" } }]);
    expect(after.deliveries).toMatchObject([{ eventKey: `task:${taskId}:rejected`, body: { status: "rejected" } }]);
    expect(after.events).toEqual(["greenlight/webhook.queued"]);
    expect((await asSystem(publisher, ({ db }) => db.select().from(creatives)))[0]).toMatchObject({ status: "approved" });
  });

  test("asking for changes ends it with a correctable error in staff's words", async () => {
    const { publisher, mediaBuyId } = await waiting();
    await decide(publisher, mediaBuyId, "ask_for_changes", { reason: "Please halve the budget." });
    const after = await stored(publisher);
    expect(after.tasks).toMatchObject([{ status: "rejected", error: { code: "CHANGES_REQUESTED", message: "Please halve the budget.", recovery: "correctable", suggestion: expect.any(String) } }]);
    expect(after.steps).toMatchObject([{ state: "rejected", decision: "ask_for_changes", reason: "Please halve the budget." }]);
    expect((await readBuy(publisher, mediaBuyId)).buy.status).toBe("rejected");
  });

  test.each(["reject", "ask_for_changes"] as const)("%s needs a reason", async (decision) => {
    const { publisher, mediaBuyId } = await waiting();
    await expect(decide(publisher, mediaBuyId, decision, { reason: "   " })).rejects.toMatchObject({ code: "VALIDATION_ERROR", field: "reason" });
    expect((await readBuy(publisher, mediaBuyId)).buy.status).toBe("pending_approval");
  });
});

describe("one decision function", () => {
  test("two people approving at once: exactly one wins, the other learns who and when", async () => {
    const { publisher, mediaBuyId } = await waiting();
    const seen = await review(publisher, mediaBuyId);
    const people = ["Ann", "Ben", "Cem", "Dua"];
    const attempts = await Promise.allSettled(people.map((label) => asActor(publisher, staff("trafficker", label), (ctx) => decideMediaBuy(ctx, { stepId: seen.openStep?.id ?? "", decision: "approve", shownHash: seen.shownHash }))));
    expect(attempts.filter((attempt) => attempt.status === "fulfilled")).toHaveLength(1);
    const after = await stored(publisher);
    const winner = after.steps[0]?.decidedByLabel;
    expect(people).toContain(winner);
    for (const attempt of attempts) if (attempt.status === "rejected") expect(attempt.reason).toMatchObject({ code: "CONFLICT", userMessage: `${winner} approved this order on 1 Mar 2027, 12:00 GMT.`, details: { decided_by: winner, decided_at: NOW.toISOString() } });
    expect(after.deliveries).toHaveLength(1);
    expect(after.events.filter((name) => name === "greenlight/fulfilment.changed")).toHaveLength(1);
    expect((await readBuy(publisher, mediaBuyId)).buy.desiredVersion).toBe(2);
  });

  test("one approving while another rejects: one outcome, and it is whole", async () => {
    for (let round = 0; round < 5; round += 1) {
      const { publisher, mediaBuyId } = await waiting();
      const seen = await review(publisher, mediaBuyId);
      const stepId = seen.openStep?.id ?? "";
      const attempts = await Promise.allSettled([
        asActor(publisher, staff("trafficker", "Ann"), (ctx) => decideMediaBuy(ctx, { stepId, decision: "approve", shownHash: seen.shownHash })),
        asActor(publisher, staff("admin", "Ben"), (ctx) => decideMediaBuy(ctx, { stepId, decision: "reject", reason: "No", shownHash: seen.shownHash })),
      ]);
      expect(attempts.filter((attempt) => attempt.status === "fulfilled")).toHaveLength(1);
      const isApproved = attempts[0]?.status === "fulfilled";
      const after = await stored(publisher);
      expect(after.tasks).toMatchObject([{ status: isApproved ? "completed" : "rejected" }]);
      expect((await readBuy(publisher, mediaBuyId)).buy.status).toBe(isApproved ? "pending_creatives" : "rejected");
      expect(after.deliveries).toHaveLength(1);
    }
  });

  test("a viewer cannot decide, nor can a buyer; nothing moves", async () => {
    const { publisher, mediaBuyId } = await waiting();
    const seen = await review(publisher, mediaBuyId);
    const input = { stepId: seen.openStep?.id ?? "", decision: "approve" as const, shownHash: seen.shownHash };
    await expect(asActor(publisher, staff("viewer"), (ctx) => decideMediaBuy(ctx, input))).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await expect(asActor(publisher, { ...staff("viewer"), role: "owner" as StaffRole }, (ctx) => decideMediaBuy(ctx, input))).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await expect(asBuyer(publisher, (ctx) => decideMediaBuy(ctx, input))).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await expect(asBuyer(publisher, (ctx) => loadReview(ctx, mediaBuyId))).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    const after = await stored(publisher);
    expect(after.steps).toMatchObject([{ state: "requires_approval", decidedByLabel: null }]);
    expect(after.events).toEqual([]);
  });

  test("a decision on what has changed since is CONFLICT", async () => {
    const { publisher, mediaBuyId } = await waiting(homepage({ creatives: [banner()] }));
    const seen = await review(publisher, mediaBuyId);
    await asSystem(publisher, ({ db }) => db.update(creatives).set({ version: 2, name: "Something else" }));
    const stepId = seen.openStep?.id ?? "";
    await expect(asActor(publisher, staff("admin"), (ctx) => decideMediaBuy(ctx, { stepId, decision: "approve", shownHash: seen.shownHash }))).rejects.toMatchObject({ code: "CONFLICT", userMessage: expect.stringContaining("changed since you looked") });
    const again = await review(publisher, mediaBuyId);
    expect(again.shownHash).not.toBe(seen.shownHash);
    await asSystem(publisher, ({ db }) => db.update(mediaPackages).set({ units: 5n }));
    await expect(asActor(publisher, staff("admin"), (ctx) => decideMediaBuy(ctx, { stepId, decision: "reject", reason: "x", shownHash: again.shownHash }))).rejects.toMatchObject({ code: "CONFLICT" });
    await decide(publisher, mediaBuyId, "approve");
  });

  test("an approval after the advertiser was mapped anew is CONFLICT", async () => {
    const { publisher, mediaBuyId } = await waiting();
    const { mediaBuy: { accountId } } = await review(publisher, mediaBuyId);
    const mapped = { tenantId: publisher.tenantId, accountId, adapterConfigId: publisher.adapterConfigId, externalAdvertiserId: "11", advertiserName: "Acme" };
    await asSystem(publisher, ({ db }) => db.insert(accountAdvertisers).values(mapped));
    const seen = await review(publisher, mediaBuyId);
    await asSystem(publisher, ({ db }) => db.update(accountAdvertisers).set({ externalAdvertiserId: "12" }));
    const input = { stepId: seen.openStep?.id ?? "", decision: "approve" as const };
    await expect(asActor(publisher, staff("admin"), (ctx) => decideMediaBuy(ctx, { ...input, shownHash: seen.shownHash }))).rejects.toMatchObject({ code: "CONFLICT" });
    const again = await review(publisher, mediaBuyId);
    await asSystem(publisher, ({ db, tenantId }) => db.update(tenants).set({ isAdvertiserCreationAllowed: false }).where(eq(tenants.id, tenantId)));
    await expect(asActor(publisher, staff("admin"), (ctx) => decideMediaBuy(ctx, { ...input, shownHash: again.shownHash }))).rejects.toMatchObject({ code: "CONFLICT" });
  });

  test("another publisher's staff find no such approval", async () => {
    const { publisher, mediaBuyId } = await waiting();
    const seen = await review(publisher, mediaBuyId);
    const other = await createPublisher();
    const input = { decision: "approve" as const, shownHash: seen.shownHash };
    await expect(asActor(other, staff("admin"), (ctx) => decideMediaBuy(ctx, { ...input, stepId: seen.openStep?.id ?? "" }))).rejects.toMatchObject({ code: "REFERENCE_NOT_FOUND" });
    await expect(asActor(other, staff("admin"), (ctx) => decideMediaBuy(ctx, { ...input, stepId: newId() }))).rejects.toMatchObject({ code: "REFERENCE_NOT_FOUND" });
    await expect(asActor(other, staff("admin"), (ctx) => decideMediaBuy(ctx, { ...input, stepId: "nonsense" }))).rejects.toMatchObject({ code: "REFERENCE_NOT_FOUND" });
    await expect(asActor(other, staff("admin"), (ctx) => loadReview(ctx, mediaBuyId))).rejects.toMatchObject({ code: "MEDIA_BUY_NOT_FOUND" });
  });

  test("one buyer's task is unknown to every other", async () => {
    const { publisher, taskId } = await waiting();
    const { createBuyer } = await import("@/test/fixtures/publisher");
    const other = { tenantId: publisher.tenantId, ...(await createBuyer(publisher.tenantId, { name: "Another agency" })) };
    const elsewhere = await createPublisher();
    for (const buyer of [other, elsewhere]) await expect(asBuyer(buyer, (ctx) => loadTask(ctx, buyer.session, toWireId("task", taskId)))).rejects.toMatchObject({ code: "REFERENCE_NOT_FOUND" });
  });

  test("an approved order is the buyer's to read and to change", async () => {
    const { publisher, mediaBuyId } = await waiting();
    await decide(publisher, mediaBuyId, "approve");
    const id = toWireId("mediaBuy", mediaBuyId);
    expect((await list(publisher, { media_buy_ids: [id] })).media_buys).toMatchObject([{ revision: 1, status: "pending_creatives" }]);
    expect(await change(publisher, { media_buy_id: id, revision: 1, paused: true })).toMatchObject({ revision: 2 });
  });

  test("the advertiser that is missing blocks, unless the publisher lets one be created", async () => {
    const { publisher, mediaBuyId } = await waiting();
    expect((await review(publisher, mediaBuyId)).checks.find((check) => check.name === "advertiser")).toMatchObject({ outcome: "warn", message: expect.stringContaining("will be created") });
    await asSystem(publisher, ({ db, tenantId }) => db.update(tenants).set({ isAdvertiserCreationAllowed: false }).where(eq(tenants.id, tenantId)));
    const blocked = await review(publisher, mediaBuyId);
    expect(blocked.canApprove).toBe(false);
    expect(blocked.checks.find((check) => check.name === "advertiser")).toMatchObject({ outcome: "block", message: expect.stringContaining("Choose which advertiser") });
  });
});
