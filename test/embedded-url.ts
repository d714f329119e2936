import { readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";

/** Connection strings of the embedded database that `npm start` runs in a data folder. */
export async function readEmbeddedUrls(dataDir: string): Promise<{ appUrl: string; adminUrl: string }> {
  const roles = z.object({ admin: z.string(), app: z.string() }).parse(JSON.parse(await readFile(path.join(dataDir, "postgres/roles.json"), "utf8")));
  const port = (await readFile(path.join(dataDir, "postgres/cluster/postmaster.pid"), "utf8")).split("\n")[3];
  return { appUrl: `postgresql://greenlight_app:${roles.app}@127.0.0.1:${port}/greenlight`, adminUrl: `postgresql://postgres:${roles.admin}@127.0.0.1:${port}/greenlight` };
}
