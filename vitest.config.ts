import path from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@": path.resolve(import.meta.dirname) } },
  test: {
    include: ["{lib,engine,inngest,simulators,test,scripts,conformance,app,components}/**/*.test.ts"],
    globalSetup: ["test/global-setup.ts"],
    // For what hangs, not for what is slow: nothing is quicker for a shorter one.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
