import { and, asc, eq } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { orderRequest } from "@/test/buyer";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, callMcp, callRest, DOOR_URL, errorCode, imageCreative, newKey } from "@/test/fixtures/door";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff, failure } from "@/test/staff";
import { listQueue } from "../approvals/queue";
import { workflowSteps } from "../approvals/schema";
import { compileSchema } from "../adcp/schemas";
import { auditLog } from "../audit/schema";
import { withTenant } from "../db/client";
import { buildDesiredOrder, loadOrderParts } from "../fulfilment/desired";
import { fulfilments } from "../fulfilment/schema";
import { type CreativeReviewPolicy, tenants } from "../tenants/schema";
import { webhookDeliveries } from "../webhooks/schema";
import { type CreativeDecision, decideCreative } from "./review";
import { creatives } from "./schema";

useTestDatabase();
let publisher: PublisherFixture;
let caller: { token: string };
beforeEach(async () => {
  publisher = await createPublisher();
  caller = { token: publisher.token };
});

const setPolicy = (creativeReview: CreativeReviewPolicy) => withTenant(publisher.tenantId, (tx) => tx.update(tenants).set({ creativeReview }).where(eq(tenants.id, publisher.tenantId)));
const html = (id: string) => ({ creative_id: id, name: `Tag ${id}`, format_id: { agent_url: DOOR_URL, id: "display_300x250_html" }, assets: { html: { asset_type: "html", content: "<b>Hi</b>" } } });
const other = { assets: { image: { asset_type: "image", url: "https://cdn.acmeoutdoor.example/second.png", width: 300, height: 250 } } };

async function sync(items: Record<string, unknown>[], extra: Record<string, unknown> = {}): Promise<Record<string, unknown>[]> {
  const { body } = await callMcp("sync_creatives", { idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: items, ...extra }, caller);
  return asList(body.creatives ?? []);
}

async function stored(creativeId: string) {
  const [row] = await withTenant(publisher.tenantId, (tx) => tx.select().from(creatives).where(and(eq(creatives.tenantId, publisher.tenantId), eq(creatives.creativeId, creativeId))));
  if (!row) throw new Error(`no creative ${creativeId}`);
  return row;
}

async function decide(creativeId: string, decision: CreativeDecision, reason?: string): Promise<void> {
  const { id, version } = await stored(creativeId);
  await asStaff(publisher.tenantId, "trafficker", (ctx) => decideCreative(ctx, { creativeId: id, decision, version, ...(reason === undefined ? {} : { reason }) }));
}

const queue = () => asStaff(publisher.tenantId, "viewer", (ctx) => listQueue(ctx, { kind: "creative_review", page: 1, pageSize: 25 }));
const steps = () => withTenant(publisher.tenantId, (tx) => tx.select().from(workflowSteps));

async function placeOrder(creativeIds: string[]): Promise<string> {
  const request = orderRequest(newKey(), [{ productId: "homepage_display", pricingOptionId: "cpm_usd_fixed", budget: 1_000 }]);
  const packages = asList(request.packages).map((item) => ({ ...item, creative_assignments: creativeIds.map((creative_id) => ({ creative_id })) }));
  const { body } = await callMcp("create_media_buy", { ...request, account: BRAND_ACCOUNT, packages }, caller);
  return String(body.media_buy_id);
}

const readBuy = async (mediaBuyId: string) => asObject(asList((await callMcp("get_media_buys", { account: BRAND_ACCOUNT, media_buy_ids: [mediaBuyId] }, caller)).body.media_buys)[0]);
const approvals = async (mediaBuyId: string) => asList(asObject(asList((await readBuy(mediaBuyId)).packages)[0]).creative_approvals);

/** Creatives that the next plan of the only order puts on air, and its version. */
async function onAir(): Promise<{ names: string[]; version: number }> {
  const [row] = await withTenant(publisher.tenantId, (tx) => tx.select().from(fulfilments));
  if (!row) throw new Error("no fulfilment");
  const { desired } = await asStaff(publisher.tenantId, "admin", async (ctx) => buildDesiredOrder(ctx, await loadOrderParts(ctx, row.id), 1));
  return { names: desired.lines.flatMap((line) => line.creatives.map(({ name }) => name.replace(/ \[.*/, ""))), version: row.desiredVersion };
}

describe("the publisher's rule", () => {
  test.each([["none", "approved", "approved"], ["third_party", "approved", "pending_review"], ["all", "pending_review", "pending_review"]] as const)("%s: an image is %s, a tag %s", async (policy, image, tag) => {
    await setPolicy(policy);
    expect((await sync([imageCreative("image"), html("tag")])).map(({ status }) => status)).toEqual([image, tag]);
    expect((await queue()).rows.map(({ name }) => name).sort()).toEqual([...(image === "pending_review" ? ["Banner image"] : []), ...(tag === "pending_review" ? ["Tag tag"] : [])]);
  });

  test("new content is looked at again, a new name is not; archiving takes the question back", async () => {
    await setPolicy("all");
    await sync([imageCreative("a")]);
    await decide("a", "approve");
    expect((await sync([imageCreative("a", { name: "New name" })])).map(({ action, status }) => [action, status])).toEqual([["updated", "approved"]]);
    expect((await sync([imageCreative("a", other)]))[0]).toMatchObject({ action: "updated", changes: ["name", "assets", "status"], status: "pending_review" });
    expect((await queue()).total).toBe(1);
    await sync([imageCreative("b")], { delete_missing: true });
    expect((await queue()).rows.map(({ name }) => name)).toEqual(["Banner b"]);
    expect((await steps()).map(({ state, decision }) => [state, decision]).sort()).toEqual([["approved", "approve"], ["completed", "withdrawn"], ["requires_approval", null]]);
  });

  test("what was rejected stays so until its content changes, also over an archive, and without a rule is looked at by a person then", async () => {
    await sync([imageCreative("a"), imageCreative("b")]);
    await decide("a", "reject", "It blinks.");
    expect((await sync([imageCreative("a")]))[0]).toMatchObject({ action: "unchanged", status: "rejected" });
    await sync([imageCreative("b")], { delete_missing: true });
    expect((await sync([imageCreative("a")]))[0]).toMatchObject({ action: "updated", status: "rejected" });
    expect(await stored("a")).toMatchObject({ rejectionReason: "It blinks.", archivedAt: null });
    expect((await sync([imageCreative("a", other)]))[0]).toMatchObject({ action: "updated", status: "pending_review" });
    expect((await queue()).total).toBe(1);
  });

  test("nobody gets round a person by sending something else in between, without a rule either", async () => {
    await sync([imageCreative("one")]);
    await decide("one", "reject", "Not this one.");
    await sync([imageCreative("one", other)]);
    expect((await stored("one")).status).toBe("pending_review");
    await sync([imageCreative("one")]);
    expect((await stored("one")).status).toBe("pending_review");
    await sync([imageCreative("two")]);
    await decide("two", "review_again");
    await sync([imageCreative("two", other)]);
    expect((await stored("two")).status).toBe("pending_review");
    await decide("two", "approve");
    expect((await stored("two")).status).toBe("approved");
  });

  test("an archive forgets no decision: what was approved comes back approved, what waited waits on, whatever it comes back as", async () => {
    await setPolicy("all");
    await sync([imageCreative("seen"), imageCreative("waiting"), imageCreative("changed")]);
    for (const id of ["seen", "changed"]) await decide(id, "approve");
    await sync([imageCreative("kept")], { delete_missing: true });
    expect((await sync([imageCreative("seen"), imageCreative("waiting"), imageCreative("changed", other)])).map(({ status }) => status)).toEqual(["approved", "pending_review", "pending_review"]);
    await sync([imageCreative("kept")], { delete_missing: true });
    await setPolicy("none");
    expect((await sync([imageCreative("seen"), imageCreative("waiting", other)])).map(({ status }) => status)).toEqual(["approved", "pending_review"]);
    expect(await stored("seen")).toMatchObject({ archivedFrom: null, archivedAt: null });
  });

  test("a dry run asks nobody", async () => {
    await setPolicy("all");
    expect((await sync([imageCreative("a")], { dry_run: true }))[0]).toMatchObject({ action: "created", status: "pending_review" });
    expect(await steps()).toEqual([]);
  });
});

describe("a decision", () => {
  test("puts a late creative on air by the path of every other change, and the order moves on", async () => {
    await setPolicy("all");
    await sync([imageCreative("late")]);
    const mediaBuyId = await placeOrder(["late"]);
    expect(await readBuy(mediaBuyId)).toMatchObject({ status: "pending_creatives" });
    expect(await approvals(mediaBuyId)).toMatchObject([{ creative_id: "late", approval_status: "pending_review" }]);
    const before = await onAir();
    expect(before.names).toEqual([]);
    await decide("late", "approve");
    expect(await onAir()).toEqual({ names: ["Banner late"], version: before.version + 1 });
    expect(await readBuy(mediaBuyId)).toMatchObject({ status: "pending_start" });
    expect(await approvals(mediaBuyId)).toMatchObject([{ approval_status: "approved" }]);
    expect(await steps()).toMatchObject([{ kind: "creative_review", state: "approved", decision: "approve", decidedByLabel: "Test trafficker" }]);
  });

  test("takes a running creative off air, and tells everybody why", async () => {
    await sync([imageCreative("a"), imageCreative("b")]);
    const mediaBuyId = await placeOrder(["a", "b"]);
    const before = await onAir();
    await decide("a", "reject", "The claim is not proven.");
    expect(await onAir()).toEqual({ names: ["Banner b"], version: before.version + 1 });
    expect(await approvals(mediaBuyId)).toMatchObject([{ creative_id: "a", approval_status: "rejected", rejection_reason: "The claim is not proven." }, { creative_id: "b", approval_status: "approved" }]);
    const { body } = await callMcp("list_creatives", { filters: { statuses: ["rejected"] } }, caller);
    expect(asList(body.creatives)).toMatchObject([{ creative_id: "a", status: "rejected" }]);
    const entries = await withTenant(publisher.tenantId, (tx) => tx.select().from(auditLog).where(eq(auditLog.action, "creative.rejected")).orderBy(asc(auditLog.id)));
    expect(entries.map(({ objectKind, summary }) => [objectKind, summary])).toEqual([["creative", 'The creative "Banner a" (a) was rejected: The claim is not proven.'], ["media_buy", 'The creative "Banner a" (a) was rejected: The claim is not proven.']]);
    await decide("a", "approve");
    expect((await onAir()).names.sort()).toEqual(["Banner a", "Banner b"]);
  });

  test("may be reopened: it is off air until somebody looks at it", async () => {
    await sync([imageCreative("a")]);
    await placeOrder(["a"]);
    await decide("a", "review_again", "The brand complained.");
    expect((await onAir()).names).toEqual([]);
    expect((await queue()).rows).toMatchObject([{ name: "Banner a", reason: "The brand complained.", subject: { kind: "creative", packageCount: 1 } }]);
  });

  test("reaches the receiver that the sync named, once, in the protocol's form", async () => {
    await setPolicy("all");
    await sync([imageCreative("a"), imageCreative("b")], { push_notification_config: { url: "https://buyer.example/creatives", operation_id: "op-7" } });
    await decide("a", "reject", "Too loud.");
    const sent = await withTenant(publisher.tenantId, (tx) => tx.select().from(webhookDeliveries));
    expect(sent).toMatchObject([{ audience: "buyer", state: "pending", body: { operation_id: "op-7", task_type: "sync_creatives", status: "completed", result: { creatives: [{ creative_id: "a", action: "updated", status: "rejected", rejection_reason: "Too loud.", warnings: ["Too loud."] }] } } }]);
    const validate = compileSchema("core/mcp-webhook-payload");
    expect(validate(sent[0]?.body), JSON.stringify(validate.errors)).toBe(true);
    // A later sync without a receiver leaves the one that is known.
    await sync([imageCreative("a", other)]);
    await decide("a", "approve");
    expect(await withTenant(publisher.tenantId, (tx) => tx.$count(webhookDeliveries))).toBe(2);
  });

  test("a receiver that may not be called is refused, and nothing is synced; a dry run registers none", async () => {
    const answer = await callRest("sync_creatives", { idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: [imageCreative("a")], push_notification_config: { url: "https://10.0.0.5/x" } }, caller);
    expect([errorCode(answer), asObject(answer.body.adcp_error).field]).toEqual(["VALIDATION_ERROR", "push_notification_config.url"]);
    expect(await withTenant(publisher.tenantId, (tx) => tx.$count(creatives))).toBe(0);
  });

  test("is for traffickers and admins, needs a reason to reject, and is about what was looked at", async () => {
    await setPolicy("all");
    await sync([imageCreative("a")]);
    const { id, version } = await stored("a");
    const attempt = (role: "viewer" | "admin", input: Partial<Parameters<typeof decideCreative>[1]>) => failure(asStaff(publisher.tenantId, role, (ctx) => decideCreative(ctx, { creativeId: id, decision: "approve", version, ...input })));
    expect((await attempt("viewer", {})).code).toBe("PERMISSION_DENIED");
    expect(await attempt("admin", { decision: "reject", reason: "  " })).toMatchObject({ code: "VALIDATION_ERROR", field: "reason" });
    expect((await attempt("admin", { decision: "review_again" })).code).toBe("INVALID_STATE");
    expect((await attempt("admin", { creativeId: publisher.tenantId })).code).toBe("CREATIVE_NOT_FOUND");
    const elsewhere = await createPublisher();
    expect((await failure(asStaff(elsewhere.tenantId, "admin", (ctx) => decideCreative(ctx, { creativeId: id, decision: "approve", version })))).code).toBe("CREATIVE_NOT_FOUND");
    await sync([imageCreative("a", other)]);
    expect((await attempt("admin", {})).userMessage).toBe("This creative has changed since you looked at it.");
    await decide("a", "approve");
    expect((await attempt("admin", {})).userMessage).toMatch(/^Test trafficker approved this creative on /);
  });
});

test("staff are told once per sync that creatives wait", async () => {
  await setPolicy("all");
  await withTenant(publisher.tenantId, (tx) => tx.update(tenants).set({ staffWebhookEncrypted: "sealed" }));
  await sync([imageCreative("a"), imageCreative("b"), imageCreative("c")]);
  const sent = await withTenant(publisher.tenantId, (tx) => tx.select({ body: webhookDeliveries.body }).from(webhookDeliveries));
  expect(sent.map(({ body }) => body.text)).toEqual([expect.stringContaining("3 creatives wait for your review: Banner a and 2 more")]);
});
