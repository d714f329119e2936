import path from "node:path";
import { defineConfig } from "vitest/config";

const root = path.resolve(import.meta.dirname, "../..");

/** Runs what must fail with the setup that every test has: see test/exit-code.test.ts. */
export default defineConfig({
  root,
  resolve: { alias: { "@": root } },
  test: { include: ["test/probes/*.probe.ts"], globalSetup: ["test/global-setup.ts"], pool: "forks" },
});
