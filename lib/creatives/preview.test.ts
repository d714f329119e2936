import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, callMcp, DOOR_URL, errorCode, imageCreative, newKey, send, BRAND_ACCOUNT } from "@/test/fixtures/door";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { withTenant } from "../db/client";
import { purgePreviews } from "../housekeeping";
import { creativePreviews, creatives } from "./schema";
import { findStaffPreview, staffPreviewPath } from "./staff-preview";

useTestDatabase();

let publisher: PublisherFixture;
beforeAll(async () => {
  publisher = await createPublisher();
});

const preview = (request: Record<string, unknown>, token = publisher.token) => callMcp("preview_creative", request, { token });
const image = (overrides: Record<string, unknown> = {}) => {
  const { format_id, assets } = imageCreative("a", overrides);
  return { format_id, assets };
};
const native = (headline: string, url = "https://acme.example/") => ({
  format_id: { agent_url: DOOR_URL, id: "native_standard" },
  assets: { headline: { asset_type: "text", content: headline }, body: { asset_type: "text", content: "{OFFER} today" }, image: { asset_type: "image", url: "https://cdn.acme.example/i.jpg", width: 1200, height: 628 }, click_url: { asset_type: "url", url } },
});
const open = async (url: unknown) => {
  const response = await send(new URL(String(url)).pathname, { method: "GET" });
  return { status: response.status, headers: response.headers, html: await response.text() };
};
const urlOf = (body: Record<string, unknown>) => asList(asList(body.previews)[0]?.renders)[0]?.preview_url;

describe("preview_creative", () => {
  test("shows a manifest at an address that needs no token, with no origin of ours", async () => {
    const { body } = await preview({ request_type: "single", creative_manifest: image() });
    expect(body).toMatchObject({ response_type: "single", previews: [{ input: { name: "Default" }, renders: [{ output_format: "url", role: "primary", dimensions: { width: 300, height: 250 } }] }] });
    const shown = await open(urlOf(body));
    expect([shown.status, shown.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(shown.headers.get("content-security-policy")).toMatch(/^sandbox allow-scripts allow-popups; default-src 'none'/);
    expect(shown.html).toContain("https://cdn.acmeoutdoor.example/a.png");
  });

  test("what a buyer wrote is text; macros are filled in per input; a script is no link", async () => {
    const manifest = native("<script>alert(1)</script>\"'", "javascript:alert(1)");
    expect(errorCode(await preview({ request_type: "single", creative_manifest: manifest }))).toBe("VALIDATION_ERROR");
    const { body } = await preview({ request_type: "single", creative_manifest: native("<script>alert(1)</script>"), output_format: "html", inputs: [{ name: "UK", macros: { OFFER: "<b>Half price</b>" } }, { name: "US" }] });
    const [first, second] = asList(body.previews).map((item) => String(asList(item.renders)[0]?.preview_html));
    expect(first).not.toMatch(/<script>|<b>/);
    expect(first).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(first).toContain("&lt;b&gt;Half price&lt;/b&gt; today");
    expect(second).toContain("{OFFER} today");
  });

  test("a batch tells of each, and a variant is a creative of the buyer's library, nobody else's", async () => {
    const { body } = await preview({ request_type: "batch", requests: [{ creative_manifest: image() }, { creative_manifest: { ...image(), format_id: { agent_url: DOOR_URL, id: "billboard" } } }] });
    expect(body.results).toMatchObject([{ success: true, creative_id: "0" }, { success: false, creative_id: "1", errors: [{ code: "VALIDATION_ERROR", field: "requests[1].creative_manifest.format_id.id" }] }]);
    await callMcp("sync_creatives", { idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: [imageCreative("mine")] }, { token: publisher.token });
    expect((await preview({ request_type: "variant", variant_id: "mine" })).body).toMatchObject({ response_type: "variant", variant_id: "mine", manifest: { format_id: { id: "display_300x250_image" } } });
    const other = await createBuyer(publisher.tenantId, { isSandbox: true });
    expect(errorCode(await preview({ request_type: "variant", variant_id: "mine" }, other.token))).toBe("CREATIVE_NOT_FOUND");
    expect((await preview({ request_type: "single", creative_manifest: image() }, "wrong-token")).status).toBe(401);
  });

  test("an address that was never given, or has ended, shows nothing; what has ended is removed", async () => {
    const { body } = await preview({ request_type: "single", creative_manifest: image() });
    await withTenant(publisher.tenantId, (tx) => tx.update(creativePreviews).set({ expiresAt: sql`now() - interval '1 second'` }));
    const ended = await open(urlOf(body));
    const never = await open(`${DOOR_URL}/previews/${"A".repeat(32)}`);
    expect([ended.status, never.status, ended.html]).toEqual([404, 404, never.html]);
    expect((await open(`${DOOR_URL}/previews/..%2f..%2fetc`)).status).toBe(404);
    expect(await purgePreviews()).toBeGreaterThan(0);
    expect(asObject({ left: await withTenant(publisher.tenantId, (tx) => tx.$count(creativePreviews)) })).toEqual({ left: 0 });
  });
});

describe("what staff see of a creative", () => {
  test("is at a signed address that moves with the creative, ends, and is nobody's to make up", async () => {
    await callMcp("sync_creatives", { idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: [imageCreative("seen")] }, { token: publisher.token });
    const [creative] = await withTenant(publisher.tenantId, (tx) => tx.select().from(creatives).where(sql`creative_id = 'seen'`));
    if (!creative) throw new Error("no creative");
    const now = new Date();
    const path = staffPreviewPath(creative, now);
    const shown = await open(`${DOOR_URL}${path}`);
    expect([shown.status, shown.headers.get("content-security-policy")?.startsWith("sandbox")]).toEqual([200, true]);
    expect(shown.html).toContain("https://cdn.acmeoutdoor.example/seen.png");
    const token = path.slice("/previews/".length);
    expect(await findStaffPreview(token, new Date(now.getTime() + 2 * 3_600_000))).toBeUndefined();
    const parts = token.split(".");
    for (const [index, value] of [[0, creative.id], [1, creative.tenantId], [2, "2"], [3, "999999"], [4, "x"]] as const) {
      expect(await findStaffPreview(parts.map((part, at) => (at === index ? value : part)).join("."), now), `part ${index}`).toBeUndefined();
    }
    await callMcp("sync_creatives", { idempotency_key: newKey(), account: BRAND_ACCOUNT, creatives: [imageCreative("seen", { name: "New" })] }, { token: publisher.token });
    expect(await findStaffPreview(token, now)).toBeUndefined();
  });
});
