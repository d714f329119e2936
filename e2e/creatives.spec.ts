import { expect, test, type Page } from "@playwright/test";
import { stackUrl } from "./support/addresses";
import { ACCOUNT, banner, createBuyer, daysFromNow } from "./support/buyer";
import { readOrders } from "./support/simulator";
import { startReceiver, type Receiver } from "./support/receiver";
import { expectAccessible, expectNoSidewaysScroll, openScreen, signIn } from "./support/staff";

let receiver: Receiver;
test.beforeAll(async () => {
  receiver = await startReceiver();
});
test.afterAll(() => receiver.close());

let made = 0;
const nextId = () => `review-${Date.now().toString(36)}-${(made += 1)}`;

const open = (page: Page, path: string) => openScreen(page, `p/demo/${path}`);

async function setRule(page: Page, label: string): Promise<void> {
  await open(page, "settings");
  await page.getByRole("radio", { name: label }).check();
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.getByText("The settings are saved.").first()).toBeVisible();
}

/** A tag of a third party; answers its id. */
async function sendTag(extra: Record<string, unknown> = {}): Promise<string> {
  const id = nextId();
  const sent = await createBuyer().executeTask("sync_creatives", {
    account: ACCOUNT, idempotency_key: `creatives-${id}-0000`, ...extra,
    creatives: [{ creative_id: id, name: `Tag ${id}`, format_id: { agent_url: stackUrl(), id: "display_300x250_html" }, assets: { html: { asset_type: "html", content: `<h2 id="shown">Hello ${id}</h2><script>document.getElementById("shown").dataset.origin = String(self.origin)</script>` } } }],
  });
  expect(sent.success, JSON.stringify(sent)).toBe(true);
  return id;
}

async function lookUp(id: string): Promise<Record<string, unknown> | undefined> {
  const answer = await createBuyer().executeTask("list_creatives", { filters: { creative_ids: [id] } });
  return (answer.data as { creatives: Record<string, unknown>[] }).creatives[0];
}

async function openFromQueue(page: Page, id: string): Promise<void> {
  await open(page, "approvals?kind=creative_review");
  await page.getByRole("row").filter({ hasText: id }).getByRole("link").first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Tag ${id}`);
}

test.describe("with a rule that tags are reviewed", () => {
  test.beforeAll(async ({ browser }) => {
    const page = await browser.newPage();
    await signIn(page, "admin@demo.example");
    await setRule(page, "A person reviews tags of third parties");
    await page.close();
  });
  test.afterAll(async ({ browser }) => {
    const page = await browser.newPage();
    await signIn(page, "admin@demo.example");
    await setRule(page, "Creatives that fit their format are approved at once");
    await page.close();
  });

  test("a creative appears in the queue by itself, is seen without an origin, approved by keyboard, and the buyer hears of it", async ({ page }) => {
    await signIn(page);
    await open(page, "approvals?kind=creative_review");
    const id = await sendTag({ push_notification_config: { url: receiver.url, operation_id: "op-creative" } });
    const row = page.getByRole("row").filter({ hasText: id });
    await expect(row).toContainText("Creative review");
    await row.getByRole("link").first().click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Tag ${id}`);
    const shown = page.frameLocator("iframe").locator("#shown");
    await expect(shown).toHaveText(`Hello ${id}`);
    await expect(shown).toHaveAttribute("data-origin", "null");
    await expect(page.getByText("Waits for a review")).toBeVisible();

    const approve = page.getByRole("button", { name: "Approve" });
    for (let pressed = 0; pressed < 200 && !(await approve.evaluate((button) => button === document.activeElement)); pressed += 1) await page.keyboard.press("Tab");
    await expect(approve).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("alertdialog").getByRole("button", { name: "Cancel" })).toBeFocused();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await expect(approve).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("alertdialog").getByRole("button", { name: "Cancel" })).toBeFocused();
    await page.keyboard.press("Tab");
    await expect(page.getByRole("alertdialog").getByRole("button", { name: "Approve creative" })).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page.getByText("approved this creative")).toBeVisible();
    await expect(page.locator("#review")).toBeFocused();
    expect(await lookUp(id)).toMatchObject({ status: "approved" });
    const hook = await receiver.next((payload) => payload.operation_id === "op-creative");
    expect(hook.payload).toMatchObject({ task_type: "sync_creatives", result: { creatives: [{ creative_id: id, status: "approved" }] } });
    await expect(page.getByText("Notified the buyer")).toBeVisible();
  });

  test("a running creative that is rejected stops at the ad server, while the other runs on", async ({ page }) => {
    test.setTimeout(600_000);
    const [kept, refused] = [nextId(), nextId()];
    const placed = await createBuyer().createMediaBuy({
      account: ACCOUNT, brand: { domain: "acmeoutdoor.example" }, idempotency_key: `creatives-${kept}-order`, start_time: daysFromNow(2), end_time: daysFromNow(12),
      packages: [{ product_id: "outdoor_lifestyle_display", pricing_option_id: "cpm_usd_fixed", budget: 400, creatives: [banner(kept), banner(refused)] }],
    });
    expect(placed.success, JSON.stringify(placed)).toBe(true);
    const mediaBuyId = String((placed.data as { media_buy_id?: string }).media_buy_id);
    const links = async () => (await readOrders(mediaBuyId)).flatMap(({ associations, network }) => associations.map(({ creative, status }) => [network.creatives.find(({ name }) => name === creative)?.displayName.split(" [")[0], status]));
    await expect.poll(async () => (await links()).filter(([, status]) => status === "ACTIVE").length, { timeout: 120_000 }).toBe(2);

    await signIn(page);
    await open(page, `creatives?search=${refused}`);
    await page.getByRole("row").filter({ hasText: refused }).getByRole("link").first().click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Banner ${refused}`);
    await page.getByRole("button", { name: "Reject" }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByLabel(/Why it is rejected/).fill("The claim is not proven.");
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Reject creative" }).click();
    await expect(page.getByText("rejected this creative")).toBeVisible();
    await expect.poll(links, { timeout: 120_000 }).toEqual(expect.arrayContaining([[`Banner ${kept}`, "ACTIVE"], [`Banner ${refused}`, "INACTIVE"]]));
    const read = await createBuyer().executeTask("get_media_buys", { media_buy_ids: [mediaBuyId] });
    expect(JSON.stringify(read.data)).toContain("The claim is not proven.");
  });

  test("of two people who decide, the second learns who was first; a viewer reads only", async ({ browser }) => {
    const id = await sendTag();
    const [first, second] = await Promise.all([browser.newPage(), browser.newPage()]);
    await second.context().route("**/live**", (route) => route.abort());
    await signIn(first, "trafficker@demo.example");
    await signIn(second, "admin@demo.example");
    await openFromQueue(first, id);
    await openFromQueue(second, id);
    await second.getByRole("button", { name: "Approve" }).click();
    await first.getByRole("button", { name: "Approve" }).click();
    await first.getByRole("alertdialog").getByRole("button", { name: "Approve creative" }).click();
    await expect(first.getByText("approved this creative")).toBeVisible();
    await second.getByRole("alertdialog").getByRole("button", { name: "Approve creative" }).click();
    await expect(second.getByText(/Tess Trafficker approved this creative on/)).toBeVisible();
    await second.getByRole("button", { name: "Review again" }).click();
    await second.getByLabel(/Why it is looked at again/).fill("The brand complained.");
    await second.getByRole("button", { name: "Put back in review" }).click();
    await expect(second.getByText("The brand complained.").first()).toBeVisible();
    await Promise.all([first.close(), second.close()]);

    const viewer = await browser.newPage();
    await signIn(viewer, "viewer@demo.example");
    await openFromQueue(viewer, id);
    await expect(viewer.getByText("Your role may read this creative, not decide on it.")).toBeVisible();
    await expect(viewer.getByRole("button", { name: "Approve" })).toHaveCount(0);
    await viewer.close();
  });

  test("the screens are accessible in light and dark, and fit 320 px", async ({ page }) => {
    test.setTimeout(900_000);
    const id = await sendTag();
    await signIn(page, "admin@demo.example");
    await openFromQueue(page, id);
    const detail = new URL(page.url()).pathname.replace("/p/demo/", "");
    for (const path of ["approvals?kind=creative_review", "creatives", "creatives?status=archived", "creatives?search=nothing-like-that", detail]) {
      await test.step(path, async () => {
        await page.emulateMedia({ colorScheme: "light" });
        await page.setViewportSize({ width: 1_600, height: 1_000 });
        await open(page, path);
        await expectAccessible(page);
        if (process.env.E2E_SHOTS) await page.screenshot({ path: `${process.env.E2E_SHOTS}/${path.replace(/\W+/g, "-").slice(0, 40)}-light.png`, fullPage: true });
        await page.setViewportSize({ width: 320, height: 720 });
        await expectNoSidewaysScroll(page);
        await page.emulateMedia({ colorScheme: "dark" });
        await expectAccessible(page);
        if (process.env.E2E_SHOTS) await page.screenshot({ path: `${process.env.E2E_SHOTS}/${path.replace(/\W+/g, "-").slice(0, 40)}-dark-320.png`, fullPage: true });
      });
    }
    await page.goto(`${stackUrl()}/p/demo/creatives/cr_00000000000000000000000000`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expectAccessible(page);
  });
});
