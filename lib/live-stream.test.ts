import { expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { waitFor } from "@/test/wait";
import { withTenant } from "./db/client";
import { newId } from "./ids";
import { announceChange } from "./live";
import { subscribeToChanges } from "./live-stream";

useTestDatabase();

test("a screen hears of its own publisher's changes, after their commit, until it leaves", async () => {
  const [ours, theirs] = [newId(), newId()];
  const heard: string[] = [];
  const leave = await subscribeToChanges(ours, ({ topic, id }) => heard.push(`${topic} ${id}`));
  await withTenant(theirs, async (db) => announceChange({ db, tenantId: theirs }, "media_buy", "foreign"));
  await expect(withTenant(ours, async (db) => {
    announceChange({ db, tenantId: ours }, "media_buy", "rolled-back");
    throw new Error("rolled back");
  })).rejects.toThrow("rolled back");
  await withTenant(ours, async (db) => announceChange({ db, tenantId: ours }, "queue", "first"));
  await waitFor("the first change", () => heard.includes("queue first"));
  expect(heard.filter((item) => item !== "reset ")).toEqual(["queue first"]);

  leave();
  const others: string[] = [];
  await subscribeToChanges(ours, ({ id }) => others.push(id));
  await withTenant(ours, async (db) => announceChange({ db, tenantId: ours }, "queue", "second"));
  await waitFor("the second change", () => others.includes("second"));
  expect(heard).not.toContain("queue second");
});
