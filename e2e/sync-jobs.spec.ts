import { expect, test } from "@playwright/test";
import { expectAccessible, expectNoSidewaysScroll, openScreen, signIn, waitForScripts } from "./support/staff";

test("syncs that succeed one after the other are one line of the list, which can be opened up by keyboard", async ({ page }) => {
  await signIn(page, "admin@demo.example");
  await openScreen(page, "p/demo/connections");
  await page.getByRole("main").getByRole("row").getByRole("link").first().click();
  await page.waitForURL(/\/connections\/[0-9a-f-]{36}$/);
  const button = page.getByRole("button", { name: "Test connection" });
  const address = page.url();
  for (let round = 0; round < 3; round += 1) {
    await Promise.all([page.waitForResponse((response) => response.request().method() === "POST" && response.url() === address), button.click()]);
    await openScreen(page, `p/demo/sync-jobs?connection=${address.split("/").at(-1)}&state=open`);
    await expect(page.getByText("Nothing matches")).toBeVisible();
    await page.goto(address);
    await waitForScripts(page);
  }
  await openScreen(page, `p/demo/sync-jobs?connection=${address.split("/").at(-1)}`);
  const tests = page.getByRole("row").filter({ hasText: "Connection test" });
  await expect(tests).toHaveCount(1);
  await expect(tests).toContainText(/\d+ runs in a row, the last one shown; the first/);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page);
  }
  await page.setViewportSize({ width: 320, height: 720 });
  await expectNoSidewaysScroll(page);
  await page.getByRole("link", { name: "Show every run" }).focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/runs=each/);
  await expect.poll(() => tests.count()).toBeGreaterThanOrEqual(3);
  await expect(page.getByText(/runs in a row, the last/)).toHaveCount(0);
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("link", { name: "Fold runs in a row" }).click();
  await expect(tests).toHaveCount(1);
});
