import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

// Debian's Chromium when it is there; elsewhere Playwright's own (npx playwright install chromium).
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((file) => existsSync(file));

export default defineConfig({
  testDir: "e2e",
  globalSetup: "./e2e/global-setup.ts",
  fullyParallel: false,
  workers: 1,
  // Nothing waits longer than it must: only what fails takes this long, and a slow machine none the worse.
  timeout: 300_000,
  expect: { timeout: 45_000 },
  reporter: [["list"], ["json"]],
  outputDir: "test-results",
  use: {
    browserName: "chromium",
    locale: "en-US",
    timezoneId: "America/New_York",
    // What is just fading in has no colours of its own yet, and axe would judge it by those.
    contextOptions: { reducedMotion: "reduce" },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: { ...(executablePath ? { executablePath } : {}), args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] },
  },
});
