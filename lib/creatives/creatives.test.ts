import { and, eq } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { orderRequest } from "@/test/buyer";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, callMcp, callRest, DOOR_URL, errorCode, imageCreative, newKey } from "@/test/fixtures/door";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { accounts } from "../accounts/schema";
import { principals } from "../buyers/schema";
import { withTenant } from "../db/client";
import { outbox } from "../events/schema";
import { fulfilments } from "../fulfilment/schema";
import { creatives } from "./schema";

useTestDatabase();
let publisher: PublisherFixture;
let caller: { token: string };
beforeEach(async () => {
  publisher = await createPublisher();
  caller = { token: publisher.token };
});

const syncRequest = (items: Record<string, unknown>[], extra: Record<string, unknown> = {}) => ({ idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: items, ...extra });
const sync = async (items: Record<string, unknown>[], extra: Record<string, unknown> = {}) => {
  const { body } = await callMcp("sync_creatives", syncRequest(items, extra), caller);
  return { body, results: asList(body.creatives ?? []) };
};
const list = async (input: Record<string, unknown> = {}) => {
  const { body } = await callMcp("list_creatives", input, caller);
  return { body, ids: asList(body.creatives).map(({ creative_id: id }) => id) };
};

/** A confirmed order of one package of the first product. */
async function placeOrder(creativeIds: string[] = []): Promise<{ mediaBuyId: string; packageId: string }> {
  const request = orderRequest(newKey(), [{ productId: "homepage_display", pricingOptionId: "cpm_usd_fixed", budget: 1_000 }]);
  const packages = asList(request.packages).map((item) => ({ ...item, ...(creativeIds.length > 0 ? { creative_assignments: creativeIds.map((creative_id) => ({ creative_id })) } : {}) }));
  const { body } = await callMcp("create_media_buy", { ...request, account: BRAND_ACCOUNT, packages }, caller);
  return { mediaBuyId: String(body.media_buy_id), packageId: String(asList(body.packages)[0]?.package_id) };
}

const readBuy = async (mediaBuyId: string) => asObject(asList((await callMcp("get_media_buys", { account: BRAND_ACCOUNT, media_buy_ids: [mediaBuyId] }, caller)).body.media_buys)[0]);
const desiredVersion = () => withTenant(publisher.tenantId, async (tx) => (await tx.select({ version: fulfilments.desiredVersion }).from(fulfilments))[0]?.version ?? 0);

describe("sync_creatives", () => {
  test("creates, updates and leaves alone", async () => {
    expect((await sync([imageCreative("a"), imageCreative("b")])).results.map(({ action, status }) => [action, status])).toEqual([["created", "approved"], ["created", "approved"]]);
    const { results } = await sync([imageCreative("a"), imageCreative("b", { name: "New name", tags: ["x"] })]);
    expect(results.map(({ action, changes }) => [action, changes])).toEqual([["unchanged", undefined], ["updated", ["name", "tags"]]]);
    expect((await sync([imageCreative("a"), imageCreative("c")], { creative_ids: ["c"] })).results.map(({ creative_id: id }) => id)).toEqual(["c"]);
    const rows = await withTenant(publisher.tenantId, (tx) => tx.select().from(creatives));
    expect(rows.map(({ creativeId, version }) => [creativeId, version]).sort()).toEqual([["a", 1], ["b", 2], ["c", 1]]);
  });

  test("takes other agents' ids of the formats it knows, and keeps what is made in others for a person; a format of our own that does not exist is a mistake", async () => {
    const foreign = (id: string) => ({ format_id: { agent_url: "https://creative.adcontextprotocol.org", id } });
    const { results } = await sync([imageCreative("a", foreign("display_300x250_image")), imageCreative("b", foreign("display_300x250")), imageCreative("c", foreign("billboard")), imageCreative("d", { format_id: { agent_url: DOOR_URL, id: "billboard" } })], { validation_mode: "lenient" });
    expect(results.map(({ action }) => action)).toEqual(["created", "created", "created", "failed"]);
    expect(results[2]).toMatchObject({ status: "pending_review", warnings: [expect.stringContaining("not one of this publisher's")] });
    expect(asList(results[3]?.errors)[0]).toMatchObject({ code: "VALIDATION_ERROR", field: "format_id.id", recovery: "correctable" });
    const [stored] = asList((await list({ filters: { creative_ids: ["a"] } })).body.creatives);
    expect(stored?.format_id).toEqual({ agent_url: "https://creative.adcontextprotocol.org", id: "display_300x250_image" });
  });

  test("strict changes nothing when anything is wrong; lenient keeps what is right", async () => {
    const wrong = imageCreative("wrong", { assets: { image: { asset_type: "image", url: "https://a.example/i.png", width: 728, height: 90 } } });
    const strict = await callRest("sync_creatives", syncRequest([imageCreative("right"), wrong]), caller);
    expect([strict.status, errorCode(strict)]).toEqual([400, "VALIDATION_ERROR"]);
    expect(asObject(strict.body.adcp_error)).toMatchObject({ field: "creatives[1].assets.image.width", details: { creatives: [{ field: "creatives[1]" }] } });
    expect((await list()).ids).toEqual([]);
    const { results } = await sync([imageCreative("right"), wrong], { validation_mode: "lenient" });
    expect(results.map(({ action, status }) => [action, status])).toEqual([["created", "approved"], ["failed", undefined]]);
    expect((await list()).ids).toEqual(["right"]);
  });

  test("a dry run answers the same and writes nothing", async () => {
    const { packageId } = await placeOrder();
    const version = await desiredVersion();
    const { body, results } = await sync([imageCreative("a")], { dry_run: true, assignments: [{ creative_id: "a", package_id: packageId }] });
    expect(body).toMatchObject({ dry_run: true });
    expect(results[0]).toMatchObject({ action: "created", assigned_to: [packageId] });
    expect((await list()).ids).toEqual([]);
    expect(await desiredVersion()).toBe(version);
  });

  test("delete_missing archives the rest, which a later sync brings back", async () => {
    await sync([imageCreative("a"), imageCreative("b")]);
    const { results } = await sync([imageCreative("a")], { delete_missing: true });
    expect(results.map(({ creative_id: id, action }) => [id, action])).toEqual([["a", "unchanged"], ["b", "deleted"]]);
    expect((await list()).ids).toEqual(["a"]);
    expect((await list({ filters: { statuses: ["archived"] } })).ids).toEqual(["b"]);
    expect((await sync([imageCreative("b")])).results[0]).toMatchObject({ action: "updated", changes: ["status"], status: "approved" });
    expect(errorCode(await callMcp("sync_creatives", syncRequest([imageCreative("a")], { delete_missing: true, creative_ids: ["a"] }), caller))).toBe("INVALID_REQUEST");
  });

  test("warns of what is not used", async () => {
    const [result] = (await sync([imageCreative("a", { assets: { ...asObject(imageCreative("a").assets), slogan: { asset_type: "text", content: "Hi" } }, industry_identifiers: [] })])).results;
    expect(result?.warnings).toEqual(['The format display_300x250_image has no asset "slogan"; it is kept but not served.', '"industry_identifiers" is not kept.']);
  });
});

describe("assignments", () => {
  test("an order that waited for creatives moves on, with a new revision, and its ad server converges", async () => {
    const { mediaBuyId, packageId } = await placeOrder();
    const before = await readBuy(mediaBuyId);
    const version = await desiredVersion();
    expect(before.status).toBe("pending_creatives");
    const { results } = await sync([imageCreative("a")], { assignments: [{ creative_id: "a", package_id: packageId, weight: 60 }] });
    expect(results[0]).toMatchObject({ assigned_to: [packageId] });
    const after = await readBuy(mediaBuyId);
    expect(after.status).toBe("pending_start");
    expect(Number(after.revision)).toBeGreaterThan(Number(before.revision));
    expect(await desiredVersion()).toBe(version + 1);
    const [listed] = asList((await list()).body.creatives);
    expect(listed?.assignments).toMatchObject({ assignment_count: 1, assigned_packages: [{ package_id: packageId }] });
    // The same once more changes nothing.
    await sync([imageCreative("a")], { assignments: [{ creative_id: "a", package_id: packageId, weight: 60 }] });
    expect([await desiredVersion(), (await readBuy(mediaBuyId)).revision]).toEqual([version + 1, after.revision]);
  });

  test("a change of an assigned creative reaches its ad servers; of another one it does not", async () => {
    await sync([imageCreative("a"), imageCreative("b")]);
    await placeOrder(["a"]);
    const version = await desiredVersion();
    const events = await withTenant(publisher.tenantId, (tx) => tx.$count(outbox));
    await sync([imageCreative("b", { name: "Other" })]);
    expect(await desiredVersion()).toBe(version);
    await sync([imageCreative("a", { name: "Other" })]);
    expect(await desiredVersion()).toBe(version + 1);
    expect(await withTenant(publisher.tenantId, (tx) => tx.$count(outbox))).toBe(events + 1);
    await sync([imageCreative("b", { name: "Other" })], { delete_missing: true });
    expect(await desiredVersion()).toBe(version + 2);
  });

  test("in the sandbox, a creative of another account of the same buyer serves; outside it does not", async () => {
    const other = { brand: { domain: "other-brand.example" }, operator: "other.example" };
    await sync([imageCreative("elsewhere")], { account: other });
    const { mediaBuyId, packageId } = await placeOrder();
    const assign = (account: Record<string, unknown>) => callMcp("update_media_buy", { idempotency_key: newKey(), account, media_buy_id: mediaBuyId, packages: [{ package_id: packageId, creative_assignments: [{ creative_id: "elsewhere" }] }] }, caller);
    expect((await assign(other)).body).toMatchObject({ status: "pending_start" });
    expect((await sync([imageCreative("second")], { account: other, assignments: [{ creative_id: "second", package_id: packageId }] })).results).toMatchObject([{ assigned_to: [packageId] }]);
    await withTenant(publisher.tenantId, async (tx) => {
      await tx.update(principals).set({ isSandbox: false });
      await tx.update(accounts).set({ isSandbox: false });
    });
    expect(errorCode(await assign(BRAND_ACCOUNT))).toBe("CREATIVE_NOT_FOUND");
  });

  test("what cannot be assigned says why; foreign and unknown packages alike", async () => {
    const { packageId, mediaBuyId } = await placeOrder();
    const other = await createBuyer(publisher.tenantId);
    const theirs = await callMcp("create_media_buy", { ...orderRequest(newKey(), [{ productId: "homepage_display", pricingOptionId: "cpm_usd_fixed", budget: 1_000 }]), account: BRAND_ACCOUNT }, { token: other.token });
    const foreignId = String(asList(theirs.body.packages)[0]?.package_id);
    const html = { creative_id: "html", name: "HTML", format_id: { agent_url: DOOR_URL, id: "display_300x250_html" }, assets: { html: { asset_type: "html", content: "<b>Hi</b>" } } };
    const assignments = [{ creative_id: "a", package_id: packageId }, { creative_id: "a", package_id: foreignId }, { creative_id: "a", package_id: "pkg_unknown" }, { creative_id: "html", package_id: packageId }, { creative_id: "nobody", package_id: packageId }];
    const { results } = await sync([imageCreative("a"), html], { assignments, validation_mode: "lenient" });
    expect(results[0]?.assigned_to).toEqual([packageId]);
    const errors = asObject(results[0]?.assignment_errors);
    expect(errors[foreignId]).toBe(errors.pkg_unknown);
    expect(asObject(results[1]?.assignment_errors)[packageId]).toContain("other formats");
    expect(results[2]).toMatchObject({ creative_id: "nobody", action: "failed", errors: [{ code: "CREATIVE_NOT_FOUND" }] });
    for (const [wrong, code] of [[foreignId, "PACKAGE_NOT_FOUND"], ["pkg_unknown", "PACKAGE_NOT_FOUND"]] as const) {
      expect(errorCode(await callMcp("sync_creatives", syncRequest([imageCreative("z")], { assignments: [{ creative_id: "z", package_id: wrong }] }), caller))).toBe(code);
    }
    await callMcp("update_media_buy", { idempotency_key: newKey(), account: BRAND_ACCOUNT, media_buy_id: mediaBuyId, canceled: true }, caller);
    expect(errorCode(await callMcp("sync_creatives", syncRequest([imageCreative("z")], { assignments: [{ creative_id: "z", package_id: packageId }] }), caller))).toBe("INVALID_STATE");
  });
});

describe("list_creatives", () => {
  test("filters", async () => {
    await sync([imageCreative("a", { tags: ["red", "big"] }), imageCreative("b", { tags: ["red"], name: "100% off_sale" }), imageCreative("c", { format_id: { agent_url: "https://x.example", id: "display_300x250" } })]);
    const { packageId, mediaBuyId } = await placeOrder(["a"]);
    const filtered = async (filters: Record<string, unknown>) => (await list({ filters, sort: { field: "name", direction: "asc" } })).ids.sort();
    expect(await filtered({ tags: ["red", "big"] })).toEqual(["a"]);
    expect(await filtered({ tags_any: ["big", "red"] })).toEqual(["a", "b"]);
    expect(await filtered({ name_contains: "% OFF_" })).toEqual(["b"]);
    expect(await filtered({ name_contains: "ba%er" })).toEqual([]);
    expect(await filtered({ creative_ids: ["c", "zzz"] })).toEqual(["c"]);
    expect(await filtered({ format_ids: [{ agent_url: DOOR_URL, id: "display_300x250_image" }] })).toEqual(["a", "b", "c"]);
    expect(await filtered({ assigned_to_packages: [packageId] })).toEqual(["a"]);
    expect(await filtered({ media_buy_ids: [mediaBuyId, "mb_unknown"] })).toEqual(["a"]);
    expect(await filtered({ media_buy_ids: ["mb_unknown"] })).toEqual([]);
    expect(await filtered({ unassigned: true })).toEqual(["b", "c"]);
    expect(await filtered({ unassigned: false })).toEqual(["a"]);
    expect(await filtered({ created_after: new Date(Date.now() + 60_000).toISOString() })).toEqual([]);
    expect(await filtered({ accounts: [BRAND_ACCOUNT] })).toEqual(["a", "b", "c"]);
    expect(await filtered({ accounts: [{ ...BRAND_ACCOUNT, operator: "other.example" }] })).toEqual([]);
    expect(errorCode(await callMcp("list_creatives", { filters: { has_served: true } }, caller))).toBe("UNSUPPORTED_FEATURE");
  });

  test("pages by any sort, each creative once, also when others come in between", async () => {
    const ids = ["e", "a", "d", "b", "c"];
    for (const id of ids) await sync([imageCreative(id, { name: id === "c" ? "Banner b" : `Banner ${id}` })]);
    await placeOrder(["d"]);
    for (const field of ["created_date", "updated_date", "name", "status", "assignment_count"]) {
      for (const direction of ["asc", "desc"]) {
        const seen: unknown[] = [];
        let cursor: unknown;
        do {
          const { body, ids: page } = await list({ sort: { field, direction }, pagination: { max_results: 2, ...(cursor === undefined ? {} : { cursor }) }, filters: { name_contains: "Banner" } });
          seen.push(...page);
          expect(body.query_summary).toMatchObject({ total_matching: 5, returned: page.length });
          cursor = asObject(body.pagination).cursor;
          if (cursor !== undefined) await sync([imageCreative(`new-${field}-${direction}`, { name: "Something else" })]);
        } while (cursor !== undefined);
        expect([field, direction, [...seen].sort()]).toEqual([field, direction, [...ids].sort()]);
        if (field === "created_date") expect(seen).toEqual(direction === "asc" ? ids : [...ids].reverse());
      }
    }
    const { body } = await list({ pagination: { max_results: 2 } });
    expect(errorCode(await callMcp("list_creatives", { pagination: { cursor: asObject(body.pagination).cursor }, sort: { field: "name" } }, caller))).toBe("INVALID_REQUEST");
  });

  test("shows a buyer nothing of another's, in the same publisher or elsewhere", async () => {
    await sync([imageCreative("mine")]);
    const other = await createBuyer(publisher.tenantId);
    const elsewhere = await createPublisher();
    for (const token of [other.token, elsewhere.token]) {
      expect(asList((await callMcp("list_creatives", {}, { token })).body.creatives)).toEqual([]);
      expect(asList((await callMcp("list_creatives", { filters: { creative_ids: ["mine"] }, account: BRAND_ACCOUNT }, { token })).body.creatives)).toEqual([]);
      // The same brand and creative ids in another buyer's hands are other accounts and other creatives.
      const answer = await callMcp("sync_creatives", syncRequest([imageCreative("mine", { name: "Theirs" })]), { token });
      expect(asList(answer.body.creatives)[0]?.action).toBe("created");
    }
    expect(asList((await list()).body.creatives).map(({ name }) => name)).toEqual(["Banner mine"]);
  });
});

test("rows of the library name their buyer and account", async () => {
  await sync([imageCreative("a")]);
  const [row] = await withTenant(publisher.tenantId, (tx) => tx.select().from(creatives).where(and(eq(creatives.tenantId, publisher.tenantId), eq(creatives.creativeId, "a"))));
  expect(row).toMatchObject({ principalId: publisher.principal.id, status: "approved", version: 1 });
});
