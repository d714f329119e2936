import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** Each rule of .dependency-cruiser.cjs is shown a violation it must catch; the clean tree itself is checked by `npm test -- imports`. */
const VIOLATIONS: Record<string, Record<string, string>> = {
  "request-layer-reaches-no-driver": {
    "lib/adcp/tools/create-media-buy.ts": `import "../../fulfilment/helper";`,
    "lib/fulfilment/helper.ts": `import "../ad-servers/gam/driver";`,
    "lib/ad-servers/gam/driver.ts": `export const driver = 1;`,
  },
  "declarations-are-pure": {
    "lib/ad-servers/gam/plan.ts": `import "./words";`,
    "lib/ad-servers/gam/words.ts": `import "node:http";`,
  },
  "drivers-belong-to-the-worker": {
    "lib/webhooks/deliver.ts": `import "../ad-servers/drivers";`,
    "lib/ad-servers/drivers.ts": `export const drivers = 1;`,
  },
  "lib-is-below": { "lib/products/service.ts": `import "../../app/page";`, "app/page.tsx": `export const page = 1;` },
  "components-take-data-as-props": { "components/list.tsx": `import { read } from "../lib/products/queries"; export const list = read;`, "lib/products/queries.ts": `export const read = 1;` },
  "product-knows-no-tests": { "lib/products/service.ts": `import "../../simulators/gam/server";`, "simulators/gam/server.ts": `export const server = 1;` },
  "simulators-know-no-product": { "simulators/gam/server.ts": `import "../../lib/money";`, "lib/money.ts": `export const money = 1;` },
  "no-circles": { "lib/a.ts": `import { b } from "./b"; export const a = b;`, "lib/b.ts": `import { a } from "./a"; export const b = a;` },
};

let folder = "";
beforeAll(async () => {
  await mkdir(".cache", { recursive: true });
  folder = await mkdtemp(path.resolve(".cache/planted-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("import rules catch their planted violations", () => {
  test.each(Object.keys(VIOLATIONS))("%s", async (rule) => {
    const root = path.join(folder, rule);
    for (const [file, text] of Object.entries(VIOLATIONS[rule] ?? {})) {
      await mkdir(path.dirname(path.join(root, file)), { recursive: true });
      await writeFile(path.join(root, file), `${text}\n`);
    }
    await cp(".dependency-cruiser.cjs", path.join(root, ".dependency-cruiser.cjs"));
    await cp("tsconfig.json", path.join(root, "tsconfig.json"));
    const folders = [...new Set(Object.keys(VIOLATIONS[rule] ?? {}).map((file) => file.split("/")[0] ?? file))];
    const run = promisify(execFile)(process.execPath, [path.resolve("node_modules/dependency-cruiser/bin/dependency-cruise.mjs"), "--config", ".dependency-cruiser.cjs", "--output-type", "json", ...folders], { cwd: root });
    const { stdout } = await run.catch((error: { stdout: string }) => error);
    const report = JSON.parse(stdout) as { summary: { violations: { rule: { name: string } }[] } };
    expect(report.summary.violations.map((violation) => violation.rule.name)).toContain(rule);
  });

  test("every rule has a planted violation", async () => {
    const config = (await import(path.resolve(".dependency-cruiser.cjs"))) as { default: { forbidden: { name: string }[] } };
    expect(Object.keys(VIOLATIONS).sort()).toEqual(config.default.forbidden.map((rule) => rule.name).sort());
  });
});
