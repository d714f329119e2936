import { expect, test } from "@playwright/test";
import { InMemoryReplayStore, InMemoryRevocationStore, StaticJwksResolver, verifyWebhookSignature } from "@adcp/sdk/signing/server";
import { waitFor } from "@/test/wait";
import { stackUrl } from "./support/addresses";
import { ACCOUNT, banner, createBuyer, daysFromNow } from "./support/buyer";
import { startReceiver, type Receiver } from "./support/receiver";
import { readNetwork, readOrders } from "./support/simulator";
import { expectAccessible, openScreen, signIn } from "./support/staff";

let receiver: Receiver;
test.beforeAll(async () => {
  receiver = await startReceiver();
});
test.afterAll(() => receiver.close());

type Answer = Record<string, unknown>;
type MediaBuy = { media_buy_id: string; status: string; revision: number; valid_actions: string[]; packages: { package_id: string; creative_approvals?: { approval_status: string }[] }[]; ext: { fulfilment: { state: string; desired_version: number; applied_version: number }[] } };

const key = (name: string) => `e2e-${name}-${Date.now()}-${Math.random().toString(36).slice(2, 8)}`;

async function readMediaBuy(mediaBuyId: string): Promise<MediaBuy> {
  const { success, data, error } = await createBuyer().executeTask("get_media_buys", { account: ACCOUNT, media_buy_ids: [mediaBuyId] });
  expect(error).toBeUndefined();
  expect(success).toBe(true);
  const [buy] = (data as unknown as { media_buys: MediaBuy[] }).media_buys;
  if (!buy) throw new Error(`${mediaBuyId} is not listed`);
  return buy;
}

/** Until the ad server has been read back at the newest version. */
async function waitInSync(mediaBuyId: string): Promise<MediaBuy> {
  return waitFor(`${mediaBuyId} to be in sync`, async () => {
    const buy = await readMediaBuy(mediaBuyId);
    const states = buy.ext.fulfilment;
    if (!states.length || !states.every((one) => ["in_sync", "ended"].includes(one.state) && one.applied_version === one.desired_version)) throw new Error(JSON.stringify(states));
    return buy;
  }, 120_000);
}

async function update(mediaBuyId: string, revision: number, patch: Record<string, unknown>): Promise<Answer> {
  const result = await createBuyer().executeTask("update_media_buy", { account: ACCOUNT, media_buy_id: mediaBuyId, revision, idempotency_key: key("update"), ...patch });
  expect(result.error).toBeUndefined();
  expect(result.success).toBe(true);
  return result.data as unknown as Answer;
}

test("an order from a buyer, through a person, into the ad server, and back", async ({ page }) => {
  const buyer = createBuyer();
  const found = await buyer.getProducts({ buying_mode: "brief", brief: "outdoor and sport display", account: ACCOUNT });
  expect(found.success).toBe(true);
  const products = (found.data as unknown as { products: { product_id: string }[] }).products;
  expect(products.map((product) => product.product_id)).toContain("outdoor_sport_display");

  // ── create → submitted
  const start = daysFromNow(2);
  const end = daysFromNow(32);
  const placed = await buyer.executeTask("create_media_buy", {
    account: ACCOUNT, brand: { domain: "acmeoutdoor.example" }, idempotency_key: key("review"), start_time: start, end_time: end, po_number: "PO-4711",
    push_notification_config: { url: receiver.url, token: "buyer-validation-token-0001" },
    context: { campaign: "spring" },
    packages: [
      { product_id: "outdoor_sport_display", pricing_option_id: "cpm_usd_fixed", budget: 2_500, creatives: [banner("spring-mpu")] },
      { product_id: "homepage_display", pricing_option_id: "cpm_usd_fixed", budget: 1_000, creatives: [banner("spring-home", { width: 728, height: 90 })] },
    ],
  });
  expect(placed.status).toBe("submitted");
  const taskId = placed.submitted?.taskId ?? "";
  expect(taskId).toMatch(/^task_/);
  expect((await readNetwork()).orders.filter((order) => order.displayName.includes("PO-4711"))).toEqual([]);

  // ── approve on screen
  await signIn(page);
  await openScreen(page, "p/demo/approvals");
  await expectAccessible(page);
  await page.getByRole("row").filter({ hasText: "acmeoutdoor.example" }).last().getByRole("link").first().click();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("heading", { name: /What will be written to/ })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Approve" }).click();
  const dialog = page.getByRole("alertdialog");
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await dialog.getByRole("button", { name: "Approve order" }).click();
  await expect(page.getByText("In sync").first()).toBeVisible({ timeout: 120_000 });
  await expectAccessible(page);

  // ── the buyer learns: webhook, task, get_media_buys
  const hook = await receiver.next((payload) => payload.task_id === taskId && payload.status === "completed");
  const jwks = (await (await fetch(`${stackUrl()}/.well-known/jwks.json`)).json()) as { keys: ConstructorParameters<typeof StaticJwksResolver>[0] };
  await verifyWebhookSignature({ method: "POST", url: hook.url, headers: hook.headers, body: hook.body }, { jwks: new StaticJwksResolver(jwks.keys), replayStore: new InMemoryReplayStore(), revocationStore: new InMemoryRevocationStore() });
  await expect(verifyWebhookSignature({ method: "POST", url: hook.url, headers: hook.headers, body: `${hook.body} ` }, { jwks: new StaticJwksResolver(jwks.keys), replayStore: new InMemoryReplayStore(), revocationStore: new InMemoryRevocationStore() })).rejects.toThrow();
  expect(hook.payload).toMatchObject({ task_type: "create_media_buy", context: { campaign: "spring" }, token: "buyer-validation-token-0001" });
  const mediaBuyId = (hook.payload.result as { media_buy_id: string }).media_buy_id;

  const task = await fetch(`${stackUrl()}/api/v1/tasks_get`, { method: "POST", headers: { authorization: "Bearer demo-acme-outdoor-v1", "content-type": "application/json" }, body: JSON.stringify({ task_id: taskId }) });
  expect(await task.json()).toMatchObject({ task_id: taskId, status: "completed" });
  const buy = await waitInSync(mediaBuyId);
  expect(buy.status).toBe("pending_start");
  expect(buy.packages.map((one) => one.creative_approvals?.map((approval) => approval.approval_status))).toEqual([["approved"], ["approved"]]);

  // ── the ad server holds exactly this
  const orders = await readOrders(mediaBuyId);
  expect(orders).toHaveLength(1);
  const [held] = orders;
  if (!held) throw new Error("no order");
  expect(held.order).toMatchObject({ status: "APPROVED", poNumber: "PO-4711" });
  expect(held.network.companies.find((company) => company.name === held.order.advertiser)?.displayName).toMatch(/acmeoutdoor/i);
  const codes = new Map(held.network.adUnits.map((unit) => [unit.name.split("/").at(-1), unit.adUnitCode]));
  const lines = held.lineItems.map((line) => ({
    units: Number(line.goal.units), rate: line.rate, type: line.lineItemType, cost: line.costType,
    start: new Date(line.startTime).toISOString(), end: new Date(line.targetEndTime ?? line.endTime ?? 0).toISOString(),
    adUnits: [...JSON.stringify(line.targeting).matchAll(/adUnits\/(\d+)/g)].map((match) => codes.get(match[1])).sort(),
  })).sort((a, b) => b.units - a.units);
  expect(lines).toEqual([
    // 2,500 ÷ 12.50 × 1,000 and 1,000 ÷ 18 × 1,000, rounded down: each package from its own budget and rate.
    { units: 200_000, rate: expect.objectContaining({ currencyCode: "USD", units: "12", nanos: 500_000_000 }), type: "STANDARD", cost: "CPM", start, end, adUnits: ["sport_leaderboard", "sport_mpu"] },
    { units: 55_555, rate: expect.objectContaining({ currencyCode: "USD", units: "18" }), type: "STANDARD", cost: "CPM", start, end, adUnits: ["home_leaderboard", "home_mpu"] },
  ]);
  expect(held.associations).toHaveLength(2);
  const names = held.network.creatives.filter((creative) => held.associations.some((link) => link.creative === creative.name)).map((creative) => creative.displayName);
  expect(names.some((name) => name.includes("spring-mpu")) && names.some((name) => name.includes("spring-home"))).toBe(true);
});

test("the automatic way, then pause, resume, a new budget, a later end and cancel, each arriving in the ad server", async () => {
  const buyer = createBuyer();
  const end = daysFromNow(20);
  const placed = await buyer.executeTask("create_media_buy", {
    account: ACCOUNT, brand: { domain: "acmeoutdoor.example" }, idempotency_key: key("auto"), start_time: daysFromNow(1), end_time: end,
    packages: [
      { product_id: "homepage_display", pricing_option_id: "cpm_usd_fixed", budget: 900, creatives: [banner("auto-mpu")] },
      { product_id: "run_of_site_auction", pricing_option_id: "cpm_usd_auction", bid_price: 4, budget: 400, creatives: [banner("auto-ros")] },
    ],
  });
  expect(placed.error).toBeUndefined();
  const { media_buy_id: mediaBuyId, packages } = placed.data as unknown as { media_buy_id: string; packages: { package_id: string }[] };
  expect(mediaBuyId).toMatch(/^mb_/);
  let buy = await waitInSync(mediaBuyId);

  const statuses = async () => (await readOrders(mediaBuyId)).flatMap(({ lineItems }) => lineItems.map((line) => line.status));
  await update(mediaBuyId, buy.revision, { paused: true });
  buy = await waitInSync(mediaBuyId);
  expect(buy.status).toBe("paused");
  expect(await statuses()).toEqual(["PAUSED", "PAUSED"]);

  await update(mediaBuyId, buy.revision, { paused: false });
  buy = await waitInSync(mediaBuyId);
  expect(await statuses()).not.toContain("PAUSED");

  await update(mediaBuyId, buy.revision, { packages: [{ package_id: packages[0]?.package_id, budget: 1_800 }] });
  buy = await waitInSync(mediaBuyId);
  expect((await readOrders(mediaBuyId)).flatMap(({ lineItems }) => lineItems.map((line) => Number(line.goal.units))).sort((a, b) => a - b)).toEqual([100_000, 100_000]);

  const later = daysFromNow(30);
  await update(mediaBuyId, buy.revision, { end_time: later });
  buy = await waitInSync(mediaBuyId);
  expect((await readOrders(mediaBuyId)).flatMap(({ lineItems }) => lineItems.map((line) => new Date(line.targetEndTime ?? line.endTime ?? 0).toISOString()))).toEqual([later, later]);

  await update(mediaBuyId, buy.revision, { canceled: true, cancellation_reason: "The campaign was called off." });
  buy = await waitInSync(mediaBuyId);
  expect(buy.status).toBe("canceled");
  const [held, ...others] = await readOrders(mediaBuyId);
  expect(others).toEqual([]);
  expect(held?.lineItems.map((line) => line.status).filter((status) => status === "DELIVERING" || status === "READY")).toEqual([]);
  const again = await buyer.executeTask("update_media_buy", { account: ACCOUNT, media_buy_id: mediaBuyId, idempotency_key: key("again"), canceled: true });
  expect(JSON.stringify(again)).toContain("NOT_CANCELLABLE");
});
