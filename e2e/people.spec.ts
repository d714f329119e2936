import { type Browser, expect, test, type Page } from "@playwright/test";
import { stackUrl } from "./support/addresses";
import { expectAccessible, expectNoSidewaysScroll, openScreen, reload, signIn, waitForScripts } from "./support/staff";

// Who works here: invited, given another role, sent away; and the log of it.

const PASSWORD = "seven quiet mornings";

const open = (page: Page, path: string) => openScreen(page, `p/demo/${path}`);

const row = (page: Page, email: string) => page.getByRole("table", { name: "People" }).getByRole("row").filter({ hasText: email });

async function invite(page: Page, email: string, name: string, role: string): Promise<string> {
  await open(page, "people");
  await page.getByRole("button", { name: "Invite a person" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^E-mail/).fill(email);
  await dialog.getByLabel(/^Name/).fill(name);
  await dialog.getByRole("radio", { name: role }).check();
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Make the link" }).click();
  const link = (await dialog.getByLabel("The link", { exact: true }).textContent()) ?? "";
  expect(link).toMatch(/\/set-password\/staff_[A-Za-z0-9_-]{43}$/);
  await expectAccessible(page);
  await dialog.getByRole("button", { name: /^Done/ }).click();
  await expect(dialog).toHaveCount(0);
  return link;
}

/** The link as its owner opens it: in another browser. */
async function openLink(browser: Browser, link: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(link);
  await waitForScripts(page);
  return page;
}

/** A screen in the browser of somebody who is not let in any more. In a new tab: the one that is open may lead to the sign-in by itself at the same moment. */
async function openSignedOut(theirs: Page): Promise<Page> {
  const page = await theirs.context().newPage();
  await page.goto(`${stackUrl()}/p/demo/products`);
  await page.waitForURL(/\/sign-in/);
  await waitForScripts(page);
  return page;
}

async function choose(page: Page, password: string): Promise<void> {
  await page.getByLabel("New password").fill(password);
  await page.getByLabel("The same again").fill(password);
  await page.getByRole("button", { name: /^Save and/ }).click();
}

async function expectEverywhereAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page);
  }
  await page.setViewportSize({ width: 320, height: 640 });
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
  await page.setViewportSize({ width: 1280, height: 720 });
}

test("somebody is invited, comes, gets another role, and is out the moment they are deactivated", async ({ page, browser }) => {
  test.setTimeout(600_000);
  const [name, email] = [`Grace ${Date.now().toString(36)}`, `grace-${Date.now().toString(36)}@people.example`];
  await signIn(page, "admin@demo.example");
  const link = await invite(page, email, name, "Viewer");
  await expect(row(page, email)).toContainText("Invited");
  expect(await page.content()).not.toContain(link.split("/").at(-1));

  const theirs = await openLink(browser, link);
  await expect(theirs.getByRole("heading", { level: 1 })).toHaveText(/^Join /);
  await expectEverywhereAccessible(theirs);
  await theirs.getByLabel("New password").fill("short");
  await theirs.getByLabel("The same again").fill("short");
  await theirs.keyboard.press("Enter");
  await expect(theirs.getByLabel("New password")).toBeFocused();
  await expect(theirs.getByLabel("New password")).toHaveAccessibleDescription(/Use at least 12 characters/);
  await expectAccessible(theirs);
  await choose(theirs, PASSWORD);
  await theirs.waitForURL(/\/p\/demo\/approvals/);
  await expect(theirs.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "People" })).toHaveCount(0);
  await open(theirs, "people");
  await expect(theirs.getByRole("heading", { level: 1 })).toHaveText("Your role does not allow this");
  await open(theirs, "products");

  // Seen by the administrator without a reload.
  await expect(row(page, email)).toContainText("Active");
  await page.getByRole("button", { name: `Change the role of ${name}` }).click();
  await page.getByRole("dialog").getByRole("radio", { name: "Trafficker" }).check();
  await page.getByRole("dialog").getByRole("button", { name: "Change role" }).click();
  await expect(row(page, email)).toContainText("Trafficker");

  const used = await openLink(browser, link);
  await expect(used.getByRole("heading", { level: 1 })).toHaveText("This link does not work any more");
  await expectEverywhereAccessible(used);

  const deactivate = page.getByRole("button", { name: `Deactivate ${name}` });
  await deactivate.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alertdialog").getByRole("button", { name: "Cancel" })).toBeFocused();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(deactivate).toBeFocused();
  await page.keyboard.press("Enter");
  await page.getByRole("alertdialog").getByRole("button", { name: "Deactivate" }).click();
  await expect(row(page, email)).toContainText("Deactivated");
  const out = await openSignedOut(theirs);
  await out.getByLabel("E-mail").fill(email);
  await out.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await out.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(out.getByText("The e-mail address or the password is not right.")).toBeVisible();

  // The log of it, by what was done to this person.
  await open(page, "audit?kind=staff");
  const log = page.getByRole("table", { name: "Audit log, newest first" });
  await expect(log).toContainText(`Deactivated ${name}`);
  await expect(log).toContainText(`${name} accepted the invitation`);
  const changed = log.getByRole("row").filter({ hasText: `${name} is trafficker now` });
  await changed.getByText("One field").click();
  await expect(changed).toContainText(/role.*viewer.*trafficker/s);
  await expectEverywhereAccessible(page);
});

test("a forgotten password: a link by keyboard alone, which works once and signs out everywhere else", async ({ page, browser }) => {
  const [name, email] = [`Vera ${Date.now().toString(36)}`, `vera-${Date.now().toString(36)}@people.example`];
  await signIn(page, "admin@demo.example");
  const theirs = await openLink(browser, await invite(page, email, name, "Trafficker"));
  await choose(theirs, PASSWORD);
  await theirs.waitForURL(/\/p\/demo\/approvals/);
  await expect(row(page, email)).toContainText("Active");

  const reset = page.getByRole("button", { name: `Reset the password of ${name}` });
  await reset.focus();
  await page.keyboard.press("Enter");
  const make = page.getByRole("dialog").getByRole("button", { name: "Make the link" });
  await expect(page.getByRole("dialog")).toBeVisible();
  while (!(await make.evaluate((element) => element === document.activeElement))) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const link = (await page.getByRole("dialog").getByLabel("The link", { exact: true }).textContent()) ?? "";
  await page.keyboard.press("Escape");
  await expect(reset).toBeFocused();

  const elsewhere = await openLink(browser, link);
  await expect(elsewhere.getByRole("heading", { level: 1 })).toHaveText("Choose a new password");
  await choose(elsewhere, "another seven evenings");
  await elsewhere.waitForURL(/\/p\/demo\/approvals/);
  await openSignedOut(theirs);
});

test("nobody changes themselves; People is for administrators", async ({ page }) => {
  await signIn(page, "admin@demo.example");
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "People" }).click();
  const self = row(page, "admin@demo.example");
  await expect(self).toContainText("You");
  await expect(self.getByRole("button")).toHaveCount(0);
  await expectEverywhereAccessible(page);
});

test("the audit log is filtered by its form and by an address; a page without entries says so", async ({ page }) => {
  await signIn(page, "admin@demo.example");
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Audit log" }).click();
  await expect(page.getByRole("table", { name: "Audit log, newest first" })).toBeVisible();
  await page.getByLabel("About", { exact: true }).selectOption("Sync jobs");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await expect(page).toHaveURL(/kind=sync_job/);
  await page.getByLabel("Id of one thing").fill("mb_nothing");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Nothing is on record for this")).toBeVisible();
  await expectEverywhereAccessible(page);
  await page.getByRole("link", { name: "Show everything" }).click();
  await expect(page.getByLabel("Id of one thing")).toHaveValue("");
  await expect(page.getByRole("table", { name: "Audit log, newest first" })).toBeVisible();
});

test("two people with the settings open: the second is told, keeps what they typed, and overwrites nothing", async ({ page, browser }) => {
  await signIn(page, "admin@demo.example");
  await open(page, "settings");
  const hours = page.getByLabel(/^Hours to decide/);
  const before = await hours.inputValue();
  const version = page.locator("input[name=version]");
  const other = await (await browser.newContext()).newPage();
  await signIn(other, "admin@demo.example");
  await open(other, "settings");
  const save = async (at: Page, value: string) => {
    await at.getByLabel(/^Hours to decide/).fill(value);
    await at.getByRole("button", { name: "Save settings" }).click();
  };
  await save(other, "31");
  await expect(other.getByText("The settings are saved.").first()).toBeVisible();
  await save(page, "77");
  await expect(page.getByText(/The settings changed since you opened this form/)).toBeVisible();
  await expect(page.getByText("Somebody saved the settings while you had them open")).toBeVisible();
  await expect(hours).toHaveValue("77");
  await expectEverywhereAccessible(page);
  await reload(page);
  await expect(hours).toHaveValue("31");
  // One's own saves follow one another without a reload.
  for (const value of ["32", before]) {
    const opened = await version.inputValue();
    await save(page, value);
    await expect(version).not.toHaveValue(opened);
    await expect(hours).toHaveValue(value);
  }
});
