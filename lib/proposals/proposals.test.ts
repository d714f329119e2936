import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, asObject, BRAND_ACCOUNT, callMcp, newKey } from "@/test/fixtures/door";
import { days } from "@/test/fixtures/orders";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { withTenant } from "../db/client";
import { pricingOptions } from "../products/schema";
import { proposals } from "./schema";
import { divideBudget, shareOut } from "./service";

useTestDatabase();

let publisher: PublisherFixture;
let other: Awaited<ReturnType<typeof createBuyer>>;
beforeAll(async () => {
  publisher = await createPublisher({
    products: [
      { productId: "sport", name: "Sport and outdoor video", description: "Outdoor sport", pricing: [{ pricingOptionId: "fixed", rate: 10 }] },
      { productId: "outdoor", name: "Outdoor display", description: "Outdoor", pricing: [{ pricingOptionId: "fixed", rate: 5 }] },
      { productId: "auction", name: "Outdoor auction", description: "Outdoor", pricing: [{ pricingOptionId: "bid", rate: null, floor: 1 }] },
      { productId: "takeover", name: "Outdoor sport takeover", description: "Outdoor sport lifestyle", pricing: [{ pricingOptionId: "daily", pricingModel: "time", rate: 4_500 }] },
      { productId: "finance", name: "Finance", description: "Markets", pricing: [{ pricingOptionId: "fixed", rate: 20 }] },
    ],
  });
  other = await createBuyer(publisher.tenantId, { isSandbox: true });
});

const call = async (tool: string, input: Record<string, unknown>, token = publisher.token) => (await callMcp(tool, input, { token })).body;
const propose = async (brief = "Sport and outdoor lifestyle", token?: string) => asList((await call("get_products", { buying_mode: "brief", brief }, token)).proposals ?? [])[0];
const refine = (entry: Record<string, unknown>, token?: string) => call("get_products", { buying_mode: "refine", refine: [{ scope: "proposal", ...entry }] }, token);
const accept = (id: unknown, overrides: Record<string, unknown> = {}) => call("create_media_buy", {
  idempotency_key: newKey(), account: BRAND_ACCOUNT, brand: BRAND_ACCOUNT.brand, start_time: days(2, new Date()), end_time: days(32, new Date()), proposal_id: id, total_budget: { amount: 10_000, currency: "USD" }, ...overrides,
});
const code = (body: Record<string, unknown>) => asObject(body.adcp_error).code;

describe("proposals", () => {
  test("a brief yields a plan over what matches and has a price, whose shares make a hundred; the same brief the same plan", async () => {
    const first = await propose();
    expect(first).toMatchObject({ proposal_status: "draft", allocations: [{ product_id: "sport", pricing_option_id: "fixed" }, { product_id: "outdoor" }] });
    expect(asList(first?.allocations).reduce((sum, { allocation_percentage: share }) => sum + Number(share), 0)).toBe(100);
    expect((await propose())?.proposal_id).toBe(first?.proposal_id);
    expect((await propose(undefined, other.token))?.proposal_id).not.toBe(first?.proposal_id);
    expect(await propose("quantum chromodynamics")).toBeUndefined();
    expect((await callMcp("get_products", { buying_mode: "brief", brief: "Sport and outdoor lifestyle" })).body.proposals).toBeUndefined();
  });

  test("it is ordered once it is firm, in packages of its shares", async () => {
    const id = (await propose())?.proposal_id;
    expect(code(await accept(id))).toBe("PROPOSAL_NOT_COMMITTED");
    expect(await refine({ proposal_id: id, action: "finalize" })).toMatchObject({ proposals: [{ proposal_id: id, proposal_status: "committed" }], refinement_applied: [{ scope: "proposal", proposal_id: id, status: "applied" }] });
    const order = await accept(id);
    expect(order).toMatchObject({ media_buy_id: expect.any(String) as string, total_budget: 10_000 });
    expect(asList(order.packages).map(({ product_id: product }) => product)).toEqual(["sport", "outdoor"]);
    expect(asList(order.packages).reduce((sum, { budget }) => sum + Number(budget), 0)).toBe(10_000);
    expect(code(await accept(id, { total_budget: { amount: 10_000, currency: "EUR" } }))).toBe("VALIDATION_ERROR");
    expect(code(await accept(id, { total_budget: undefined }))).toMatch(/^(INVALID_REQUEST|VALIDATION_ERROR)$/);
    expect(code(await accept(id, { packages: [{ product_id: "sport", pricing_option_id: "fixed", budget: 1_000 }] }))).toMatch(/^(INVALID_REQUEST|VALIDATION_ERROR)$/);
  });

  test("is its buyer's alone: to another it is unknown", async () => {
    const id = (await propose())?.proposal_id;
    const [foreign, unknown] = await Promise.all([refine({ proposal_id: id, action: "finalize" }, other.token), refine({ proposal_id: "prop_unknown", action: "finalize" }, other.token)]);
    expect(JSON.stringify(foreign.refinement_applied).replace(String(id), "prop_unknown")).toBe(JSON.stringify(unknown.refinement_applied));
    expect(foreign.proposals).toEqual([]);
  });

  test("is answered for what it cannot do: other shares, and what has been left out", async () => {
    const id = (await propose())?.proposal_id;
    expect(await refine({ proposal_id: id, ask: "Shift 60% to video" })).toMatchObject({ proposals: [{ proposal_id: id }], refinement_applied: [{ status: "unable" }] });
    expect(await refine({ proposal_id: id, action: "omit" })).toMatchObject({ proposals: [], refinement_applied: [{ status: "applied" }] });
  });

  test("ends with its time, and with the price it was made for", async () => {
    const id = (await propose("Sport in short"))?.proposal_id;
    await refine({ proposal_id: id, action: "finalize" });
    await withTenant(publisher.tenantId, (tx) => tx.update(pricingOptions).set({ archivedAt: new Date() }).where(sql`${pricingOptions.pricingOptionId} = 'fixed' and ${pricingOptions.rateMicros} = 10000000`));
    expect(code(await accept(id))).toBe("PROPOSAL_EXPIRED");
    await withTenant(publisher.tenantId, (tx) => tx.update(proposals).set({ expiresAt: sql`now() - interval '1 second'` }));
    expect(code(await accept(id))).toBe("PROPOSAL_EXPIRED");
    expect(await refine({ proposal_id: id, action: "finalize" })).toMatchObject({ refinement_applied: [{ status: "unable" }] });
  });
});

test("shares and budgets lose nothing", () => {
  expect(shareOut([3, 1, 1])).toEqual([60, 20, 20]);
  expect(shareOut([1, 1, 1])).toEqual([34, 33, 33]);
  expect(shareOut([1_000, 1])).toEqual([99, 1]);
  const parts = shareOut([1, 1, 1]).map((percentage) => ({ productId: "", pricingOptionId: "", rationale: "", percentage }));
  expect(divideBudget(100_000_001n, parts).reduce((sum, part) => sum + part, 0n)).toBe(100_000_001n);
});
