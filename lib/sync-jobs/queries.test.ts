import { beforeAll, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff } from "@/test/staff";
import { withTenant } from "../db/client";
import { newId } from "../ids";
import { listSyncJobs, type SyncJobListInput } from "./queries";
import { syncJobs } from "./schema";

useTestDatabase();

let publisher: PublisherFixture;
let other: PublisherFixture;

beforeAll(async () => {
  publisher = await createPublisher();
  other = await createPublisher();
  const job = (kind: "connection_test" | "inventory", state: "running" | "succeeded" | "failed", minute: number) => ({
    tenantId: publisher.tenantId, id: newId(), adapterConfigId: publisher.adapterConfigId, kind, state, requestedBy: `minute ${minute}`, createdAt: new Date(Date.UTC(2026, 0, 1, 10, minute)),
    ...(state === "failed" ? { error: { code: "unauthorized", message: "The key was refused." } } : {}),
  });
  await withTenant(publisher.tenantId, (tx) => tx.insert(syncJobs).values([
    job("connection_test", "succeeded", 1), job("inventory", "failed", 2), job("inventory", "succeeded", 3), job("inventory", "running", 4),
  ]));
});

const list = (query: Partial<SyncJobListInput> = {}, tenantId = publisher.tenantId) =>
  asStaff(tenantId, "viewer", (ctx) => listSyncJobs(ctx, { search: "", connection: null, state: "all", runs: "folded", sort: "created", direction: "desc", page: 1, pageSize: 25, ...query }));
const asked = async (query: Partial<SyncJobListInput>) => (await list(query)).rows.map((row) => row.requestedBy);

test("newest first, with counts per state that a filter does not change", async () => {
  expect(await asked({})).toEqual(["minute 4", "minute 3", "minute 2", "minute 1"]);
  expect(await list({ state: "failed" })).toMatchObject({ total: 1, counts: { all: 4, open: 1, succeeded: 2, failed: 1 }, rows: [{ requestedBy: "minute 2", error: { message: "The key was refused." }, connectionName: "Ad Manager" }] });
  expect(await asked({ state: "open" })).toEqual(["minute 4"]);
  expect(await asked({ pageSize: 3, page: 2 })).toEqual(["minute 1"]);
});

test("one connection, or part of its name; an id that is none finds nothing", async () => {
  expect((await list({ connection: publisher.adapterConfigId })).total).toBe(4);
  expect((await list({ connection: newId() })).total).toBe(0);
  expect(await list({ connection: "nonsense" })).toMatchObject({ rows: [], total: 0 });
  expect((await list({ search: "manager" })).total).toBe(4);
  expect((await list({ search: "xandr" })).total).toBe(0);
});

test("another publisher sees none of it", async () => {
  expect((await list({}, other.tenantId)).total).toBe(0);
  expect((await list({ connection: publisher.adapterConfigId }, other.tenantId)).total).toBe(0);
});

test("runs that succeeded one after the other are one line: the last, with how many and since when; a failure stands alone and ends it", async () => {
  const busy = await createPublisher();
  const at = (hour: number) => new Date(Date.UTC(2026, 0, 1, hour));
  const job = (kind: "delivery" | "availability", state: "running" | "succeeded" | "failed", hour: number) => ({ tenantId: busy.tenantId, id: newId(), adapterConfigId: busy.adapterConfigId, kind, state, requestedBy: `${kind} ${hour}`, createdAt: at(hour) });
  await withTenant(busy.tenantId, (tx) => tx.insert(syncJobs).values([
    ...[1, 2, 3].map((hour) => job("delivery", "succeeded", hour)), job("availability", "succeeded", 4), job("delivery", "failed", 5), job("delivery", "failed", 6),
    ...[7, 8].map((hour) => job("delivery", "succeeded", hour)), job("availability", "succeeded", 9), job("delivery", "running", 10),
  ]));
  const shown = async (query: Partial<SyncJobListInput>) => (await list(query, busy.tenantId)).rows.map(({ requestedBy, runs, firstAt }) => [requestedBy, runs, firstAt.getUTCHours()]);
  expect(await shown({})).toEqual([["delivery 10", 1, 10], ["availability 9", 2, 4], ["delivery 8", 2, 7], ["delivery 6", 1, 6], ["delivery 5", 1, 5], ["delivery 3", 3, 1]]);
  expect(await list({}, busy.tenantId)).toMatchObject({ total: 6, counts: { all: 6, open: 1, succeeded: 3, failed: 2 } });
  expect(await shown({ state: "succeeded", pageSize: 2, page: 2 })).toEqual([["delivery 3", 3, 1]]);
  expect(await shown({ search: "ad man", sort: "created", direction: "asc", pageSize: 1 })).toEqual([["delivery 3", 3, 1]]);
  expect(await list({ runs: "each" }, busy.tenantId)).toMatchObject({ total: 10, counts: { all: 10, succeeded: 7 }, rows: [{ requestedBy: "delivery 10", runs: 1 }, { requestedBy: "availability 9", runs: 1 }, {}, {}, {}, {}, {}, {}, {}, {}] });
});
