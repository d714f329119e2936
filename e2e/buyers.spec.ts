import { expect, test, type Page } from "@playwright/test";
import { stackUrl } from "./support/addresses";
import { createBuyer, daysFromNow } from "./support/buyer";
import { expectAccessible, expectNoSidewaysScroll, openScreen, reload, signIn } from "./support/staff";

// Why did their call fail? From a buyer's first token to the call that staff explain.

const main = (page: Page) => page.getByRole("main");

const open = (page: Page, path: string) => openScreen(page, `p/demo/${path}`);

async function makeBuyer(page: Page, name: string): Promise<void> {
  await open(page, "buyers");
  await page.getByRole("link", { name: "Create buyer" }).first().click();
  await page.getByLabel(/^Name/).fill(name);
  await page.getByLabel("Sandbox only").check();
  await page.getByRole("button", { name: "Create buyer" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
}

async function issueToken(page: Page, name: string, permissions: string[] = []): Promise<string> {
  await page.getByRole("button", { name: "Issue token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill(name);
  if (permissions.length > 0) {
    await dialog.getByLabel("Only what is ticked").check();
    for (const permission of permissions) await dialog.getByLabel(permission).check();
  }
  await dialog.getByRole("button", { name: "Issue token" }).click();
  const token = (await dialog.getByLabel("The new token", { exact: true }).textContent()) ?? "";
  expect(token).toMatch(/^gl_[A-Za-z0-9_-]{43}$/);
  await expectAccessible(page);
  await dialog.getByRole("button", { name: /^Done/ }).click();
  await expect(dialog).toHaveCount(0);
  return token;
}

async function postTool(tool: string, input: unknown, token: string): Promise<number> {
  const response = await fetch(`${stackUrl()}/api/v1/${tool}`, { method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(input) });
  await response.text();
  return response.status;
}

const failedCall = (page: Page, text: string | RegExp) => page.getByRole("table", { name: "Calls, newest first" }).getByRole("row").filter({ hasText: text });

test("a buyer is let in, its calls are seen as they come, a failure is explained, and a revoked token ends", async ({ page }) => {
  const name = `Northwind ${Date.now().toString(36)}`;
  await signIn(page, "admin@demo.example");
  await makeBuyer(page, name);
  await expect(page.getByText("It has not called yet")).toBeVisible();
  const token = await issueToken(page, "Production");
  await expect(main(page).getByText("Production")).toBeVisible();
  expect(await page.content()).not.toContain(token);

  const answered = await createBuyer(token).getProducts({ buying_mode: "wholesale" });
  expect(answered.success).toBe(true);
  // Without a reload.
  await expect(failedCall(page, "get_products").getByText("Answered").first()).toBeVisible();

  const secret = "s3cret-of-the-webhook-receiver-0001";
  expect(await postTool("create_media_buy", {
    idempotency_key: `buyers-${Date.now()}-0000`, brand: { domain: "northwind.example" }, account: { brand: { domain: "northwind.example" }, operator: "northwind.example", sandbox: true },
    start_time: daysFromNow(3), end_time: daysFromNow(33), packages: [{ product_id: "no_such_product", pricing_option_id: "x", budget: 500 }],
    push_notification_config: { url: "https://northwind.example/hook", authentication: { schemes: ["Bearer"], credentials: secret } },
  }, token)).toBe(404);
  const row = failedCall(page, "PRODUCT_NOT_FOUND");
  await expect(row).toBeVisible();
  await row.getByRole("link", { name: "create_media_buy" }).click();
  await expect(page.getByRole("heading", { level: 2, name: "Why it failed" })).toBeVisible();
  await expect(main(page).getByText(/not on sale, or this buyer may not see it/)).toBeVisible();
  await expect(main(page).getByText("no_such_product").first()).toBeVisible();
  expect(await page.content()).not.toContain(secret);
  await expectAccessible(page);
  await page.getByRole("link", { name, exact: true }).click();

  await page.getByRole("link", { name: /^Failed/ }).click();
  await expect(page).toHaveURL(/show=failed/);
  await reload(page);
  await expect(row).toBeVisible();
  await expect(failedCall(page, "get_products")).toHaveCount(0);

  await page.getByRole("button", { name: /^Revoke token/ }).click();
  const confirm = page.getByRole("alertdialog");
  await expect(confirm.getByRole("button", { name: "Cancel" })).toBeFocused();
  await confirm.getByRole("button", { name: "Revoke token" }).click();
  await expect(page.getByText("Revoked", { exact: true })).toBeVisible();
  expect(await postTool("get_products", { buying_mode: "wholesale" }, token)).toBe(401);
  await expect(failedCall(page, "The token was revoked")).toBeVisible();

  await open(page, `buyers?search=${encodeURIComponent(name)}`);
  await expect(page.getByRole("row").filter({ hasText: name }).getByText(/failed calls in 24 h/)).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: name }).getByText("No token works")).toBeVisible();
});

test("a rotated token works on while the new one is put in place; permissions are kept to and explained", async ({ page }) => {
  await signIn(page, "admin@demo.example");
  await makeBuyer(page, `Contoso ${Date.now().toString(36)}`);
  const old = await issueToken(page, "Reader", ["See products, prices, proposals and availability"]);
  await page.getByRole("button", { name: /^Rotate token/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Rotate token" }).click();
  const fresh = (await dialog.getByLabel("The new token", { exact: true }).textContent()) ?? "";
  await page.keyboard.press("Escape");
  await expect(page.getByText("Replaced, still works")).toBeVisible();
  for (const token of [old, fresh]) expect(await postTool("get_products", { buying_mode: "wholesale" }, token)).toBe(200);
  expect(await postTool("list_accounts", {}, fresh)).toBe(403);
  await failedCall(page, "PERMISSION_DENIED").getByRole("link").click();
  await expect(main(page).getByText(/permissions do not cover this tool/)).toBeVisible();
});

test("an account is suspended: its orders are refused, and the refusal says so to staff", async ({ page }) => {
  await signIn(page, "admin@demo.example");
  await makeBuyer(page, `Tailspin ${Date.now().toString(36)}`);
  const token = await issueToken(page, "Production");
  const account = { brand: { domain: "tailspin.example" }, operator: "tailspin.example" };
  const key = (name: string) => `buyers-${Date.now()}-${name}-0000`;
  expect(await postTool("sync_accounts", { idempotency_key: key("sync"), accounts: [{ ...account, billing: "operator" }] }, token)).toBe(200);
  await reload(page);
  await page.getByRole("button", { name: /^Change the status of/ }).click();
  await page.getByRole("radio", { name: "Suspended" }).check();
  await page.getByLabel(/^Reason/).fill("The invoice of March is open.");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Change status" }).click();
  await expect(page.getByRole("table", { name: "Accounts" }).getByText("Suspended", { exact: true })).toBeVisible();
  await expect(page.getByRole("table", { name: "Accounts" }).getByText("The invoice of March is open.")).toBeVisible();
  expect(await postTool("create_media_buy", {
    idempotency_key: key("order"), brand: { domain: "tailspin.example" }, account, start_time: daysFromNow(3), end_time: daysFromNow(33),
    packages: [{ product_id: "homepage_display", pricing_option_id: "cpm_usd_fixed", budget: 500 }],
  }, token)).toBe(403);
  await failedCall(page, "ACCOUNT_SUSPENDED").getByRole("link").click();
  await expect(main(page).getByText(/account’s status stops its orders/)).toBeVisible();
});

test("a mistake in a form is named where it is; limits and keys are kept by hand", async ({ page }) => {
  await signIn(page, "admin@demo.example");
  const name = `Fabrikam ${Date.now().toString(36)}`;
  await makeBuyer(page, name);
  await page.getByLabel(/^Changes per second/).fill("many");
  await page.getByRole("button", { name: "Save limits" }).click();
  await expect(page.getByLabel(/^Changes per second/)).toBeFocused();
  await expect(page.getByLabel(/^Changes per second/)).toHaveAccessibleDescription(/Enter a number/);
  await page.getByLabel(/^Changes per second/).fill("2");
  await page.getByRole("button", { name: "Save limits" }).click();
  await expect(page.getByText("The limits are saved.").first()).toBeVisible();

  const register = page.getByRole("button", { name: "Register keys" });
  await register.focus();
  await page.keyboard.press("Enter");
  await page.getByLabel(/^Keys as JSON/).fill("{ oops");
  await page.getByRole("button", { name: "Register", exact: true }).click();
  await expect(page.getByLabel(/^Keys as JSON/)).toHaveAccessibleDescription(/not JSON/);
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(register).toBeFocused();

  await open(page, "buyers/new");
  await page.getByLabel(/^Name/).fill(name.toUpperCase());
  await page.getByRole("button", { name: "Create buyer" }).click();
  await expect(page.getByLabel(/^Name/)).toHaveAccessibleDescription(/Another buyer has this name/);
});

test("every screen of a buyer is accessible in light and dark, and fits 320 px and a wide screen", async ({ page }) => {
  test.setTimeout(900_000);
  await signIn(page, "admin@demo.example");
  expect(await postTool("create_media_buy", { idempotency_key: `buyers-${Date.now()}-0001`, packages: "none" }, "demo-acme-outdoor-v1")).toBe(400);
  expect(await postTool("get_products", { buying_mode: "wholesale" }, "somebody-elses-token-0123456789")).toBe(401);
  await open(page, "buyers");
  const row = page.getByRole("table", { name: "Buyers" }).getByRole("row").filter({ hasText: "Pinnacle Agency for Acme Outdoor" });
  await expect(row.getByText(/failed call/)).toBeVisible();
  const href = await row.getByRole("link").first().getAttribute("href");
  await openScreen(page, `${href}?show=failed`.slice(1));
  const call = await failedCall(page, "create_media_buy").first().getByRole("link").getAttribute("href");
  for (const path of ["buyers", "buyers/new", `${href}`.replace("/p/demo/", ""), `${call}`.replace("/p/demo/", "")]) {
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

test("a viewer reads and changes nothing; the palette leads there; no other publisher's buyer exists", async ({ page }) => {
  await signIn(page, "viewer@demo.example");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Go to or search" })).toBeFocused();
  await page.keyboard.type("Buyers");
  await page.getByRole("option", { name: "Buyers", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Buyers");
  await expect(page.getByRole("link", { name: "Create buyer" })).toHaveCount(0);
  await page.getByRole("table", { name: "Buyers" }).getByRole("link").first().click();
  await expect(page.getByText("Only administrators of this publisher can change them.")).toBeVisible();
  for (const name of ["Issue token", "Register keys", "Save limits", "Rename", "Archive"]) await expect(page.getByRole("button", { name, exact: true })).toHaveCount(0);
  const address = new URL(page.url());
  expect((await page.goto(`${stackUrl()}/p/demo/buyers/new`))?.status()).toBe(403);
  expect((await page.goto(`${stackUrl()}/p/demo/buyers/00000000-0000-7000-8000-000000000000`))?.status()).toBe(404);
  // The page that was open would find out by itself, and lead to the sign-in in the middle of it.
  await page.goto("about:blank");
  await page.context().clearCookies();
  await signIn(page, "admin@other.example");
  expect((await page.goto(`${stackUrl()}${address.pathname.replace("/demo/", "/other/")}`))?.status()).toBe(404);
});
