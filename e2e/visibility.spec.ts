import { expect, test, type Page } from "@playwright/test";
import { createBuyer } from "./support/buyer";
import { expectAccessible, expectNoSidewaysScroll, openScreen, signIn } from "./support/staff";

// A product of the demo for one buyer alone, a price that is reserved, amounts that are hidden; put back at the end.

type Seen = { product_id: string; pricing_options: { pricing_option_id: string; fixed_price?: number; floor_price?: number }[] };

async function seen(token: string): Promise<Seen[]> {
  const answer = await createBuyer(token).getProducts({ buying_mode: "wholesale" });
  if (!answer.success) throw new Error(JSON.stringify(answer));
  return (answer.data as { products: Seen[] }).products;
}

const open = (page: Page, path: string) => openScreen(page, `p/demo/${path}`);

async function makeBuyer(page: Page, name: string): Promise<string> {
  await open(page, "buyers/new");
  await page.getByLabel(/^Name/).fill(name);
  await page.getByLabel("Sandbox only").check();
  await page.getByRole("button", { name: "Create buyer" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await page.getByRole("button", { name: "Issue token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Issue token" }).click();
  const token = (await dialog.getByLabel("The new token", { exact: true }).textContent()) ?? "";
  await dialog.getByRole("button", { name: /^Done/ }).click();
  await expect(dialog).toHaveCount(0);
  return token;
}

async function choose(page: Page, what: string, buyers: string[] | "all"): Promise<void> {
  await page.getByRole("button", { name: `Change who sees: ${what}` }).click();
  const dialog = page.getByRole("dialog");
  if (buyers === "all") await dialog.getByRole("radio").first().check();
  else {
    await dialog.getByRole("radio", { name: "Only buyers that are ticked" }).check();
    for (const name of buyers) await dialog.getByRole("checkbox", { name: new RegExp(`^${name}`) }).check();
    await expectAccessible(page);
  }
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toHaveCount(0);
}

test("staff choose which buyers see a product, a price and amounts; agents find it so at once", async ({ page }) => {
  test.setTimeout(600_000);
  await signIn(page, "admin@demo.example");
  const run = Date.now().toString(36);
  const [chosen, other] = [`Chosen ${run}`, `Other ${run}`];
  const token = await makeBuyer(page, chosen);
  const buyerPath = new URL(page.url()).pathname.replace("/p/demo/", "");
  const otherToken = await makeBuyer(page, other);
  const products = await seen(token);
  const target = products.at(-1);
  expect(target).toBeDefined();
  const productId = target?.product_id ?? "";
  const priceId = target?.pricing_options[0]?.pricing_option_id ?? "";

  await open(page, `products?search=${productId}`);
  await page.getByRole("main").getByRole("table").getByRole("link").first().click();
  await expect(page.getByRole("table", { name: "Who sees the product and its prices" })).toBeVisible();
  const table = page.getByRole("table", { name: "Who sees the product and its prices" });
  await choose(page, "This product", [chosen]);
  await expect(table.getByText(`Only ${chosen}`)).toBeVisible();
  const ids = async (of: string) => (await seen(of)).map(({ product_id: id }) => id);
  expect(await ids(token)).toContain(productId);
  expect(await ids(otherToken)).not.toContain(productId);
  await expectAccessible(page);
  await page.setViewportSize({ width: 320, height: 640 });
  await expectNoSidewaysScroll(page);
  await page.setViewportSize({ width: 1280, height: 720 });

  await choose(page, "This product", "all");
  await choose(page, `Price ${priceId}`, []);
  await expect(table.getByText("Nobody")).toBeVisible();
  const prices = async (of: string) => (await seen(of)).find(({ product_id: id }) => id === productId)?.pricing_options.map(({ pricing_option_id: id }) => id) ?? [];
  expect(await prices(token)).not.toContain(priceId);
  await choose(page, `Price ${priceId}`, "all");
  expect(await prices(token)).toContain(priceId);

  await open(page, buyerPath);
  await expect(page.getByText(new RegExp(`${products.length} of \\d+ products`))).toBeVisible();
  await page.getByRole("button", { name: "Hide prices" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Hide prices" }).click();
  await expect(page.getByText(/without amounts/)).toBeVisible();
  expect(JSON.stringify(await seen(token))).not.toMatch(/fixed_price|floor_price/);
  expect(JSON.stringify(await seen(otherToken))).toContain("fixed_price");
  await expectAccessible(page);
});

test("staff see what is free to sell, and ask the ad server again; buyers see the same", async ({ page }) => {
  await signIn(page);
  await open(page, "products?search=homepage_display");
  await page.getByRole("main").getByRole("table").getByRole("link").first().click();
  await page.getByRole("button", { name: /^Ask .* again$/ }).click();
  const row = page.getByRole("table", { name: "Availability by ad server" }).getByRole("row").nth(1);
  await expect(row.getByText(/^[\d,]+ of [\d,]+$/).first()).toBeVisible({ timeout: 120_000 });
  await expectAccessible(page);
  // The figures of before are shown until those that were asked for are there.
  await expect(async () => {
    const free = Number(((await row.getByRole("cell").nth(0).textContent()) ?? "").replace(/ of .*/, "").replaceAll(",", ""));
    expect(free).toBeGreaterThan(0);
    const shown = (await seen("demo-acme-outdoor-v1")).find(({ product_id: id }) => id === "homepage_display") as unknown as { forecast?: { points: { metrics: { impressions: { mid: number } } }[] } };
    expect(shown.forecast?.points[0]?.metrics.impressions.mid).toBe(free);
  }).toPass({ timeout: 120_000 });
});

test("a viewer sees who sees a product, and cannot change it", async ({ page }) => {
  await signIn(page, "viewer@demo.example");
  await open(page, "products");
  await page.getByRole("main").getByRole("table").getByRole("link").first().click();
  await expect(page.getByRole("table", { name: "Who sees the product and its prices" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Change who sees/ })).toHaveCount(0);
});
