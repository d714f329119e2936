import { beforeAll, describe, expect, test } from "vitest";
import { adServerInventory } from "@/lib/ad-servers/schema";
import { useTestDatabase } from "@/test/db";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { asStaff } from "@/test/staff";
import { withTenant } from "../db/client";
import { findInventory, inventorySearchInput, searchInventory, summariseInventory } from "./queries";

useTestDatabase();

const SYNCED_AT = new Date("2026-03-01T10:00:00Z");
let publisher: PublisherFixture;
let other: PublisherFixture;

beforeAll(async () => {
  publisher = await createPublisher();
  other = await createPublisher();
  const { tenantId, adapterConfigId } = publisher;
  const row = (kind: "ad_unit" | "placement" | "targeting_key" | "targeting_value" | "advertiser", externalId: string, name: string, more: { path?: string; parentExternalId?: string; retiredAt?: Date } = {}) =>
    ({ tenantId, adapterConfigId, kind, externalId, name, syncedAt: SYNCED_AT, ...more });
  await withTenant(tenantId, (tx) => tx.insert(adServerInventory).values([
    row("ad_unit", "100", "Home", { path: "Network > Home" }),
    row("ad_unit", "101", "Top", { path: "Network > Home > Top" }),
    row("ad_unit", "102", "Top_right", { path: "Network > Sport > Top_right" }),
    row("ad_unit", "103", "Old top", { path: "Network > Old top", retiredAt: SYNCED_AT }),
    row("placement", "200", "All tops"),
    row("targeting_key", "300", "section"), row("targeting_key", "301", "mood"),
    row("targeting_value", "400", "sport", { parentExternalId: "300" }), row("targeting_value", "401", "sporty", { parentExternalId: "301" }),
    ...Array.from({ length: 60 }, (_, index) => row("advertiser", `5${index}`, `Advertiser ${String(index).padStart(2, "0")}`)),
  ]));
});

const search = (query: Record<string, unknown>, tenantId = publisher.tenantId) =>
  asStaff(tenantId, "viewer", (ctx) => searchInventory(ctx, inventorySearchInput.parse({ adapterConfigId: publisher.adapterConfigId, kind: "ad_unit", ...query })));
const names = async (query: Record<string, unknown>) => (await search(query)).rows.map((row) => row.name);

describe("searchInventory", () => {
  test("finds by name, path and id, literally, and offers nothing retired", async () => {
    expect(await names({ text: "top" })).toEqual(["Top", "Top_right"]);
    expect(await names({ text: "home >" })).toEqual(["Top"]);
    expect(await names({ text: "102" })).toEqual(["Top_right"]);
    expect(await names({ text: "p_r" })).toEqual(["Top_right"]);
    expect(await names({ text: "%" })).toEqual([]);
    expect(await names({ text: "old" })).toEqual([]);
  });

  test("values belong to their key", async () => {
    expect(await names({ kind: "targeting_value", text: "sport" })).toEqual(["sport", "sporty"]);
    expect(await names({ kind: "targeting_value", text: "sport", parentExternalId: "301" })).toEqual(["sporty"]);
  });

  test("pages", async () => {
    const page = await search({ kind: "advertiser", page: 2 });
    expect({ total: page.total, first: page.rows[0]?.name, length: page.rows.length }).toEqual({ total: 60, first: "Advertiser 25", length: 25 });
  });

  test("another publisher finds nothing of it", async () => {
    expect(await search({ text: "top" }, other.tenantId)).toMatchObject({ rows: [], total: 0 });
  });
});

test("what was chosen is found even when it was retired since, and says so", async () => {
  const found = await asStaff(publisher.tenantId, "viewer", (ctx) => findInventory(ctx, { adapterConfigId: publisher.adapterConfigId, kind: "ad_unit", externalIds: ["101", "103", "999"] }));
  expect(found.map((item) => [item.externalId, item.path, item.isRetired])).toEqual([["103", "Network > Old top", true], ["101", "Network > Home > Top", false]]);
});

test("counts and age per kind", async () => {
  const summary = await asStaff(publisher.tenantId, "viewer", (ctx) => summariseInventory(ctx, publisher.adapterConfigId));
  expect(summary.find((row) => row.kind === "ad_unit")).toEqual({ kind: "ad_unit", current: 3, retired: 1, syncedAt: SYNCED_AT });
  expect(summary.find((row) => row.kind === "advertiser")).toEqual({ kind: "advertiser", current: 60, retired: 0, syncedAt: SYNCED_AT });
  const empty = await asStaff(other.tenantId, "viewer", (ctx) => summariseInventory(ctx, other.adapterConfigId));
  expect(empty.every((row) => row.current === 0 && row.syncedAt === null)).toBe(true);
});
