import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { expect, test, type Page } from "@playwright/test";
import { banner, createBuyer, daysFromNow } from "./support/buyer";
import { makeServiceAccount } from "./support/service-account";
import { expectAccessible, openScreen, reload, signIn, waitForScripts } from "./support/staff";

// What a publisher sets up before it can sell: connections, products, advertisers, settings.

const unique = (name: string) => `${name} ${Date.now().toString(36)}`;
const main = (page: Page) => page.getByRole("main");

const open = (page: Page, path: string, publisher = "demo") => openScreen(page, `p/${publisher}/${path}`);

test("a connection: a key that is none, a good one, its test and sync live, another currency, a key that was revoked", async ({ page }) => {
  const account = await makeServiceAccount();
  const name = unique("Second network");
  await signIn(page, "admin@demo.example");
  await open(page, "connections/new");
  await expect(page.getByLabel("A live network")).toHaveCount(0);
  await page.getByLabel(/^Name/).fill(name);
  await page.getByLabel(/^Network code/).fill("21700000001");
  await page.getByLabel(/^Or paste/).fill("{ oops");
  await page.getByRole("button", { name: "Save and test" }).click();
  await expect(page.getByLabel(/^Or paste/)).toBeFocused();
  await expect(page.getByLabel(/^Or paste/)).toHaveAccessibleDescription(/not a JSON key file/);
  await expect(page.getByLabel(/^Name/)).toHaveValue(name);
  await expectAccessible(page);

  await page.getByLabel(/^Or paste/).fill("");
  await page.getByLabel(/^Key file/).setInputFiles({ name: "key.json", mimeType: "application/json", buffer: Buffer.from(account.keyFile) });
  await page.getByRole("button", { name: "Save and test" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await expect(page.getByText("Verified", { exact: true })).toBeVisible();
  await expect(page.getByText(account.email)).toBeVisible();
  expect(await page.content()).not.toContain("PRIVATE KEY");

  await page.getByRole("button", { name: "Sync inventory" }).click();
  await expect(page.getByText(/^Synced/)).toBeVisible();
  await expect(main(page).getByText("Advertisers", { exact: true })).toBeVisible();

  await page.getByLabel(/^Currency of the network/).fill("EUR");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Test failed", { exact: true })).toBeVisible();
  await expect(page.getByText(/books in USD, but this connection is set to EUR/)).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel(/^Currency of the network/).fill("USD");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Verified", { exact: true })).toBeVisible();

  await account.revoke();
  await page.getByRole("button", { name: "Test connection" }).click();
  await expect(page.getByText("Test failed", { exact: true })).toBeVisible();

  await page.getByRole("button", { name: "Archive", exact: true }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Archive" }).click();
  await expect(page).toHaveURL(/\/connections$/);
  await expect(page.getByRole("link", { name })).toHaveCount(0);
});

test("a product: every mistake named, ad units chosen by keyboard, sold at once, edited, taken off sale", async ({ page }) => {
  const name = unique("Weekend");
  await signIn(page);
  await open(page, "products/new");
  await page.getByLabel(/^Name/).fill(name);
  await page.getByLabel(/^Description/).fill("Readers at the weekend.");
  await page.getByLabel("Display", { exact: true }).check();
  await page.getByLabel("Image banner 300 × 250").check();
  await page.getByLabel(/^Price per thousand/).fill("seven");
  await page.getByRole("checkbox", { name: /Google Ad Manager \(simulated\)/ }).check();
  await page.getByRole("button", { name: "Create product" }).click();
  await expect(page.getByLabel(/^Price per thousand/)).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel(/^Price per thousand/)).toBeFocused();
  await expect(main(page).getByText("Choose at least one ad unit or placement.").first()).toBeVisible();
  await expectAccessible(page);

  await page.getByLabel(/^Price per thousand/).fill("7.50");
  const choose = page.getByRole("button", { name: "Choose ad units" });
  await choose.focus();
  await page.keyboard.press("Enter");
  const picker = page.getByRole("dialog");
  await expect(picker.getByRole("searchbox")).toBeFocused();
  await page.keyboard.type("leaderboard");
  await expect(picker.getByRole("list", { name: "Found ad units" })).toHaveAttribute("aria-busy", "false");
  await expect(picker.getByRole("checkbox").first()).toHaveAccessibleName(/leaderboard/i);
  await expectAccessible(page);
  await page.keyboard.press("Tab");
  await expect(picker.getByRole("checkbox").first()).toBeFocused();
  await page.keyboard.press("Space");
  await expect(picker.getByText("1 chosen")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Change ad units" })).toBeFocused();
  await page.getByRole("button", { name: "Create product" }).click();
  await expect(page).toHaveURL(/\/products\/(?!new$)[^/]+$/);
  await expect(page.getByText("On sale", { exact: true })).toBeVisible();
  await expect(page.getByLabel(/^Id for buyers/).first()).toHaveValue(name.toLowerCase().replaceAll(" ", "_"));

  const found = await createBuyer().getProducts({ buying_mode: "wholesale" });
  const products = (found.data as unknown as { products: { name: string; pricing_options: { fixed_price?: number }[] }[] }).products;
  expect(products.find((product) => product.name === name)?.pricing_options).toMatchObject([{ fixed_price: 7.5 }]);

  const second = await page.context().newPage();
  await second.goto(page.url());
  await waitForScripts(second);
  await second.getByLabel(/^Price per thousand/).fill("8");
  await page.getByLabel(/^Description/).fill("Mine.");
  await second.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Somebody saved this product while you had it open")).toBeVisible();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText(/saved by somebody else/).first()).toBeVisible();
  await expect(page.getByLabel(/^Description/)).toHaveValue("Mine.");
  await second.close();

  await page.getByRole("button", { name: "Take off sale" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Take off sale" }).click();
  await expect(page).toHaveURL(/\/products$/);
  await page.getByRole("searchbox").fill(name);
  await page.getByRole("link", { name: /^Archived/ }).click();
  await expect(page).toHaveURL(/state=archived/);
  await reload(page);
  await expect(page.getByRole("searchbox")).toHaveValue(name);
  await expect(page.getByRole("link", { name })).toBeVisible();
});

test("an order without an advertiser waits, and goes on when one is chosen", async ({ page }) => {
  const brand = `no-advertiser-${Date.now()}.example`;
  const account = { brand: { domain: brand }, operator: "other-agency.example", sandbox: true };
  const placed = await createBuyer("demo-other-publisher-v1").executeTask("create_media_buy", {
    account, brand: { domain: brand }, idempotency_key: `setup-${Date.now()}-0000`, start_time: daysFromNow(3), end_time: daysFromNow(13),
    packages: [{ product_id: "homepage_display", pricing_option_id: "cpm_usd_fixed", budget: 500, creatives: [banner("setup-1")] }],
  });
  expect(placed.error).toBeUndefined();
  await signIn(page, "admin@other.example");
  await open(page, "approvals", "other");
  await expect(page.getByRole("row").filter({ hasText: brand })).toContainText(/advertiser/i, { timeout: 120_000 });

  await open(page, "accounts?show=unmapped", "other");
  await page.getByRole("row").filter({ hasText: brand }).getByRole("button", { name: /^Choose the advertiser/ }).click();
  await page.getByRole("dialog").getByRole("radio").first().check();
  await expectAccessible(page);
  await page.getByRole("dialog").getByRole("button", { name: "Use this advertiser" }).click();
  await expect(page.getByText(/One order that waited for it goes on/).first()).toBeAttached();
  await expect(page.getByRole("row").filter({ hasText: brand })).toHaveCount(0);
  await open(page, "accounts", "other");
  await expect(page.getByRole("row").filter({ hasText: brand }).getByRole("button", { name: /^Change the advertiser/ })).toBeVisible();

  await open(page, "media-buys", "other");
  await page.getByRole("row").filter({ hasText: brand }).getByRole("link").first().click();
  await expect(page.getByText("In sync").first()).toBeVisible({ timeout: 120_000 });
});

test("settings: kept, refused in words, and a staff webhook that is heard of", async ({ page }) => {
  const heard: string[] = [];
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => { body += chunk.toString(); });
    request.on("end", () => {
      heard.push(body);
      response.end("ok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  await signIn(page, "admin@demo.example");
  await open(page, "settings");
  const hours = page.getByLabel(/^Hours to decide/);
  const before = await hours.inputValue();
  await hours.fill("36");
  await page.getByLabel(/^Time zone/).fill("Mars/Olympus");
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.getByLabel(/^Time zone/)).toHaveAccessibleDescription(/full name/);
  await expect(hours).toHaveValue("36");
  await expectAccessible(page);
  await page.getByLabel(/^Time zone/).fill("America/New_York");
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.getByText("The settings are saved.").first()).toBeAttached();
  await reload(page);
  await expect(hours).toHaveValue("36");
  await hours.fill(before);
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.getByText("The settings are saved.").first()).toBeAttached();

  const address = page.getByLabel(/address|^Address/i).first();
  await address.fill("https://10.0.0.7/hook");
  await page.getByRole("button", { name: /^(Save|Replace)$/ }).click();
  await expect(address).toHaveAccessibleDescription(/private network/);
  await address.fill(`http://127.0.0.1:${port}/hook/secret-wxyz`);
  await page.getByRole("button", { name: /^(Save|Replace)$/ }).click();
  await expect(page.getByText(`127.0.0.1:${port} …wxyz`)).toBeVisible();
  expect(await page.content()).not.toContain("secret-wxyz");
  await page.getByRole("button", { name: "Send a test message" }).click();
  await expect(page.getByText("Delivered").first()).toBeVisible({ timeout: 120_000 });
  expect(heard.join()).toContain("Greenlight can reach you here");

  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("Messages go to")).toHaveCount(0);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test("a viewer looks at everything and changes nothing", async ({ page }) => {
  await signIn(page, "viewer@demo.example");
  for (const [list, note] of [["products", /Changing it takes the role/], ["connections", /Only administrators/]] as const) {
    await open(page, list);
    await expect(page.getByRole("link", { name: /^Add/ })).toHaveCount(0);
    await main(page).getByRole("row").getByRole("link").first().click();
    await expect(page.getByText(note)).toBeVisible();
    await expect(page.getByRole("button", { name: /save|archive|sync|test|off sale/i })).toHaveCount(0);
    await expectAccessible(page);
  }
  await open(page, "settings");
  await expect(page.getByLabel(/^Hours to decide/)).toBeDisabled();
  await expect(page.getByRole("button", { name: /save/i })).toHaveCount(0);
});
