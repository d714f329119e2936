import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";
import { stackUrl } from "./addresses";

/** Opens a screen and waits for its scripts: what is pressed before they listen is lost. */
export async function openScreen(page: Page, path: string): Promise<void> {
  await page.goto(`${stackUrl()}/${path}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
  await waitForScripts(page);
}

export async function reload(page: Page): Promise<void> {
  await page.reload();
  await waitForScripts(page);
}

/** Until React answers every control of a page that came from the server. */
export async function waitForScripts(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const controls = [...document.querySelectorAll("#announcer, form, button, input:not([type=hidden]), select, textarea")];
    return document.getElementById("announcer") !== null && controls.every((control) => Object.keys(control).some((key) => key.startsWith("__reactProps$")));
  }, undefined, { timeout: 60_000 });
  // What listens on the whole document does so once the frame is drawn.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
}

export async function signIn(page: Page, email = "trafficker@demo.example", password = "demo-password"): Promise<void> {
  await openScreen(page, "sign-in");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL(/\/p\//);
}

/** No violation of WCAG 2.2 A and AA, nor of axe's best practices. */
export async function expectAccessible(page: Page): Promise<void> {
  // After a move within the app the title comes a moment behind the page.
  await expect(page).toHaveTitle(/\S/);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`)).toEqual([]);
}

/** The page itself never scrolls sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
}
