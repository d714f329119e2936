import { expect, test, type Page } from "@playwright/test";
import { stackUrl } from "./support/addresses";
import { ACCOUNT, banner, createBuyer, daysFromNow } from "./support/buyer";
import { expectAccessible, expectNoSidewaysScroll, openScreen, reload, signIn, waitForScripts } from "./support/staff";

const LISTS = [
  ["approvals", "Approvals"], ["media-buys", "Media buys"], ["products", "Products"], ["connections", "Connections"],
  ["accounts", "Accounts"], ["sync-jobs", "Sync jobs"], ["people", "People"], ["audit", "Audit log"], ["settings", "Settings"],
] as const;

const open = (page: Page, path: string) => openScreen(page, `p/demo/${path}`);

let waiting = 0;
/** An order that waits for a person; answers the text by which its row is found. */
async function placeForReview(): Promise<string> {
  waiting += 1;
  const brand = `brand-${Date.now()}-${waiting}.example`;
  const placed = await createBuyer().executeTask("create_media_buy", {
    account: { ...ACCOUNT, brand: { domain: brand } }, brand: { domain: brand }, idempotency_key: `screens-${Date.now()}-${waiting}-0000`, start_time: daysFromNow(3), end_time: daysFromNow(13),
    packages: [{ product_id: "outdoor_sport_display", pricing_option_id: "cpm_usd_fixed", budget: 750, creatives: [banner(`screens-${waiting}`)] }],
  });
  expect(placed.status).toBe("submitted");
  return brand;
}

async function openReview(page: Page, brand: string): Promise<void> {
  await open(page, "approvals");
  await page.getByRole("row").filter({ hasText: brand }).getByRole("link").first().click();
  await expect(page.getByRole("button", { name: "Approve" })).toBeVisible();
}

test.describe("every screen", () => {
  test("is accessible in light and dark, and fits 320 px and a wide screen", async ({ page }) => {
    test.setTimeout(900_000);
    await placeForReview();
    await signIn(page, "admin@demo.example");
    const details: string[] = [];
    for (const list of ["approvals", "products", "connections"]) {
      await open(page, list);
      const href = await page.getByRole("main").getByRole("row").getByRole("link").first().getAttribute("href");
      if (!href) throw new Error(`${list} has no row to open`);
      details.push(href.replace("/p/demo/", ""));
    }
    for (const [path] of LISTS) details.push(path);
    details.push("products/new", "connections/new");
    for (const path of details) {
      await test.step(path, async () => {
        await page.emulateMedia({ colorScheme: "light" });
        await page.setViewportSize({ width: 1_600, height: 1_000 });
        await open(page, path);
        await expectAccessible(page);
        await expectNoSidewaysScroll(page);
        await page.setViewportSize({ width: 320, height: 720 });
        await expectNoSidewaysScroll(page);
        await page.emulateMedia({ colorScheme: "dark" });
        await expectAccessible(page);
      });
    }
  });

  test("says that this is a demo, names its object in the title, and logs no error", async ({ page }) => {
    const problems: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(`${message.text()} ${message.location().url}`);
    });
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(`${stackUrl()}/sign-in`);
    await expect(page.getByText(/demo/i).first()).toBeVisible();
    await expectAccessible(page);
    await signIn(page, "admin@demo.example");
    for (const [path, title] of LISTS) {
      await open(page, path);
      await expect(page).toHaveTitle(new RegExp(title));
      await expect(page.getByText("Demo: simulated ad server")).toBeVisible();
    }
    expect(problems).toEqual([]);
    expect((await page.request.get(`${stackUrl()}/favicon.ico`)).headers()["content-type"]).toBe("image/svg+xml");
  });
});

test("approve by keyboard alone; Escape closes and focus returns", async ({ page }) => {
  const brand = await placeForReview();
  await signIn(page);
  await openReview(page, brand);
  await reload(page);
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: /skip/i })).toBeFocused();
  const approve = page.getByRole("button", { name: "Approve" });
  for (let pressed = 0; pressed < 200 && !(await approve.evaluate((button) => button === document.activeElement)); pressed += 1) await page.keyboard.press("Tab");
  await expect(approve).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alertdialog").getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("alertdialog")).toHaveCount(0);
  await expect(approve).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alertdialog").getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("alertdialog").getByRole("button", { name: "Approve order" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "Execution" })).toBeFocused();
  await expect(page.getByText("In sync").first()).toBeVisible({ timeout: 120_000 });
});

test("reject needs a reason, and the buyer reads it", async ({ page }) => {
  const brand = await placeForReview();
  await signIn(page);
  await openReview(page, brand);
  await page.getByRole("button", { name: "Reject" }).click();
  await page.getByLabel(/Why it is rejected/).fill("We carry a competitor on these dates.");
  await expectAccessible(page);
  await page.getByRole("alertdialog").getByRole("button", { name: "Reject order" }).click();
  await expect(page.getByText("We carry a competitor on these dates.").first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve" })).toHaveCount(0);
});

test("of two people who decide at once, the second learns who was first", async ({ browser }) => {
  const brand = await placeForReview();
  const [first, second] = await Promise.all([browser.newPage(), browser.newPage()]);
  await signIn(first, "trafficker@demo.example");
  await openReview(first, brand);
  await second.context().route("**/live**", (route) => route.abort());
  await signIn(second, "admin@demo.example");
  await openReview(second, brand);
  await second.getByRole("button", { name: "Approve" }).click();
  await first.getByRole("button", { name: "Approve" }).click();
  await first.getByRole("alertdialog").getByRole("button", { name: "Approve order" }).click();
  await expect(first.getByRole("button", { name: "Approve" })).toHaveCount(0);
  await second.getByRole("alertdialog").getByRole("button", { name: "Approve order" }).click();
  await expect(second.getByText(/Tess Trafficker/).first()).toBeVisible();
  await Promise.all([first.close(), second.close()]);
});

test("a viewer reads and cannot decide or edit", async ({ page }) => {
  const brand = await placeForReview();
  await signIn(page, "viewer@demo.example");
  await open(page, "approvals");
  await page.getByRole("row").filter({ hasText: brand }).getByRole("link").first().click();
  await expect(page.getByText("Your role may read this order, not decide on it.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve" })).toHaveCount(0);
  await open(page, "connections/new");
  await expect(page.getByRole("button", { name: /save/i })).toHaveCount(0);
  await expectAccessible(page);
});

test("another publisher's address is not found, and nobody gets in without signing in", async ({ page, browser }) => {
  await signIn(page, "admin@other.example");
  const foreign = await page.goto(`${stackUrl()}/p/demo/media-buys`);
  expect(foreign?.status()).toBe(404);
  await expectAccessible(page);
  const stranger = await browser.newPage();
  await stranger.goto(`${stackUrl()}/p/demo/media-buys`);
  await expect(stranger).toHaveURL(/\/sign-in/);
  const live = await stranger.request.get(`${stackUrl()}/live?publisher=demo`);
  expect([401, 403, 404]).toContain(live.status());
  await stranger.close();
});

test("an order appears on the queue without a reload", async ({ page }) => {
  await signIn(page);
  await open(page, "approvals");
  const brand = await placeForReview();
  await expect(page.getByRole("row").filter({ hasText: brand })).toBeVisible();
});

test("what is typed and chosen before the scripts have come is kept", async ({ page }) => {
  await signIn(page);
  let letCome = () => {};
  const comes = new Promise<void>((resolve) => { letCome = resolve; });
  await page.route(/\/_next\/static\/.*\.js/, async (route) => {
    await comes;
    await route.continue();
  });
  await page.goto(`${stackUrl()}/p/demo/products/new`, { waitUntil: "commit" });
  await page.getByLabel(/^Name/).fill("Early");
  await page.getByLabel(/^Description/).fill("Typed at once.");
  await page.getByLabel("Display", { exact: true }).check();
  await page.getByLabel("Online video", { exact: true }).check();
  await page.getByRole("radio", { name: "Always" }).check();
  await page.getByLabel(/^Price per thousand/).fill("7.50");
  await page.getByLabel(/^Least a package must spend/).fill("100");
  letCome();
  await waitForScripts(page);
  // The form is drawn anew.
  await page.getByLabel(/^Name/).press("End");
  await page.getByLabel(/^Name/).pressSequentially(" enough");
  await expect(page.getByLabel(/^Name/)).toHaveValue("Early enough");
  await expect(page.getByLabel(/^Price per thousand/)).toHaveValue("7.50");
  await expect(page.getByLabel(/^Least a package must spend/)).toHaveValue("100");
  await expect(page.getByLabel(/^Description/)).toHaveValue("Typed at once.");
  await expect(page.getByLabel("Display", { exact: true })).toBeChecked();
  await expect(page.getByLabel("Online video", { exact: true })).toBeChecked();
  await expect(page.getByRole("radio", { name: "Always" })).toBeChecked();
});

test("the state of a list survives a reload", async ({ page }) => {
  await signIn(page);
  await open(page, "media-buys");
  await page.getByRole("searchbox").fill("no such order");
  await expect(page).toHaveURL(/no\+such\+order|no%20such%20order/);
  await reload(page);
  await expect(page.getByRole("searchbox")).toHaveValue("no such order");
  await expectAccessible(page);
});
