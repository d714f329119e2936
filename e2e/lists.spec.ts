import { expect, test } from "@playwright/test";
import { collectionsOf, type ListAgent, startListAgent } from "@/test/list-agent";
import { ACCOUNT, banner, createBuyer, daysFromNow } from "./support/buyer";
import { readOrders } from "./support/simulator";
import { expectAccessible, expectNoSidewaysScroll, openScreen, reload, signIn } from "./support/staff";

let agent: ListAgent;
test.beforeAll(async () => {
  agent = await startListAgent();
});
test.afterAll(() => agent.close());

type Bought = { media_buy_id: string; packages: { package_id: string; ext?: { held?: { reason: string } } }[] };

test("a package under a list of another agent is nowhere until the list was read; staff and buyer see it go on, and stop, by itself", async ({ page }) => {
  test.setTimeout(600_000);
  // Before the order: its agent is waited for some two minutes, then given up.
  await signIn(page);
  agent.react(() => "wait");
  const key = `lists-${Date.now().toString(36)}`;
  const placed = await createBuyer().executeTask("create_media_buy", {
    idempotency_key: `${key}-0000`, account: ACCOUNT, brand: ACCOUNT.brand, start_time: daysFromNow(2), end_time: daysFromNow(20),
    packages: [{
      product_id: "outdoor_lifestyle_display", pricing_option_id: "cpm_usd_fixed", budget: 400, creatives: [banner(key), banner(`${key}-wide`, { width: 728, height: 90 })],
      targeting_overlay: { collection_list: { agent_url: agent.url, list_id: "shows", auth_token: "not-to-be-shown" } },
    }],
  });
  expect(placed.success, JSON.stringify(placed)).toBe(true);
  const bought = placed.data as Bought;
  expect(bought.packages[0]?.ext?.held).toMatchObject({ reason: "unread" });
  const heldNow = async () => {
    const answer = await createBuyer().executeTask("get_media_buys", { media_buy_ids: [bought.media_buy_id] });
    return (answer.data as { media_buys: Bought[] }).media_buys[0]?.packages[0]?.ext?.held?.reason;
  };

  await openScreen(page, `p/demo/media-buys/${bought.media_buy_id}`);
  const card = page.getByRole("region", { name: "The buyer’s list" });
  await expect(card.getByText("Being read", { exact: true })).toBeVisible();
  await expect(card).toContainText("It stands still");
  await expect(page.getByText("Held by its list")).toBeVisible();
  await expect(page.getByText("not-to-be-shown")).toHaveCount(0);
  await expectAccessible(page);
  expect(await readOrders(bought.media_buy_id)).toEqual([]);
  await openScreen(page, `p/demo/media-buys?search=${bought.media_buy_id}`);
  await expect(page.getByText("1 package held by a list")).toBeVisible();
  await openScreen(page, `p/demo/media-buys/${bought.media_buy_id}`);

  agent.react(() => collectionsOf([{ name: "Trail Notes", ids: { substack_id: "trailnotes" } }, { name: "Weekend Outside", ids: { imdb_id: "tt9300001" } }]));
  await expect(card.getByText("Read", { exact: true })).toBeVisible({ timeout: 120_000 });
  await expect(page.getByText("Held by its list")).toHaveCount(0);
  await expect.poll(async () => (await readOrders(bought.media_buy_id)).flatMap(({ lineItems }) => lineItems.map(({ status }) => status)), { timeout: 120_000 }).toEqual(["READY"]);
  expect(await heldNow()).toBeUndefined();

  // Another list, whose agent knows nothing of it: what exists is paused.
  agent.react(() => ({ error: { code: "LIST_NOT_FOUND", message: "There is no such list." } }));
  const swapped = await createBuyer().executeTask("update_media_buy", {
    idempotency_key: `${key}-0001`, account: ACCOUNT, media_buy_id: bought.media_buy_id,
    packages: [{ package_id: bought.packages[0]?.package_id, targeting_overlay: { collection_list_exclude: { agent_url: agent.url, list_id: "gone" } } }],
  });
  expect(swapped.success, JSON.stringify(swapped)).toBe(true);
  await expect(card.getByText("Could not be read", { exact: true })).toBeVisible({ timeout: 120_000 });
  await expect(card).toContainText("LIST_NOT_FOUND: There is no such list.");
  await expect.poll(async () => (await readOrders(bought.media_buy_id)).flatMap(({ lineItems }) => lineItems.map(({ status }) => status)), { timeout: 120_000 }).toEqual(["PAUSED"]);
  expect(await heldNow()).toBe("unreadable");

  // The agent has it after all: nobody waits for the hour.
  agent.react(() => collectionsOf([{ name: "Another Show", ids: { imdb_id: "tt9999999" } }]));
  await card.getByRole("button", { name: "Read again “gone”" }).click();
  await expect(card.getByText("Read", { exact: true })).toBeVisible({ timeout: 120_000 });
  await expect.poll(async () => (await readOrders(bought.media_buy_id)).flatMap(({ lineItems }) => lineItems.map(({ status }) => status)), { timeout: 120_000 }).toEqual(["READY"]);
  await expect(page.getByText("Had the collection list “gone” read again")).toBeVisible();
  expect(await heldNow()).toBeUndefined();
  agent.react(() => ({ error: { code: "LIST_NOT_FOUND", message: "There is no such list." } }));
  await card.getByRole("button", { name: "Read again “gone”" }).click();
  await expect(card.getByText("Could not be read", { exact: true })).toBeVisible({ timeout: 120_000 });
  await page.setViewportSize({ width: 320, height: 800 });
  await page.emulateMedia({ colorScheme: "dark" });
  await reload(page);
  await expect(card.getByText("Could not be read", { exact: true })).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
});
