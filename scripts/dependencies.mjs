import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** `npm ci` when the lock file is not the one that node_modules was installed from. Plain JavaScript: it runs before anything is there. */
export function ensureDependencies() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Greenlight needs Node 20.19 or newer; this is ${process.version}.`);
    process.exit(1);
  }
  const lock = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
  const note = "node_modules/.greenlight-lock";
  if (existsSync(note) && readFileSync(note, "utf8") === lock) return;
  console.log("Installing dependencies (a minute or two the first time) …");
  const done = spawnSync("npm", ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], { stdio: "inherit", shell: process.platform === "win32" });
  if (done.status !== 0) {
    console.error("The dependencies could not be installed; see above.");
    process.exit(1);
  }
  writeFileSync(note, lock);
}
