import { eq } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { useTestDatabase } from "@/test/db";
import { createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { withTenant } from "../db/client";
import { newId } from "../ids";
import { takeRate } from "./rate";
import { adapterRates } from "./schema";

useTestDatabase();
let publisher: PublisherFixture;
beforeEach(async () => {
  publisher = await createPublisher();
});
afterEach(() => vi.restoreAllMocks());

const bookedUntil = async () => (await withTenant(publisher.tenantId, (tx) => tx.select().from(adapterRates).where(eq(adapterRates.tenantId, publisher.tenantId))))[0]?.bookedUntil;
const book = (until: Date) => withTenant(publisher.tenantId, (tx) => tx.insert(adapterRates).values({ tenantId: publisher.tenantId, adapterConfigId: publisher.adapterConfigId, bookedUntil: until }));

describe("a connection's rate", () => {
  test("requests are spaced, and most of them cost no query", async () => {
    const rate = { tenantId: publisher.tenantId, adapterConfigId: publisher.adapterConfigId, ratePerSecond: 40 };
    const began = performance.now();
    // A block that is not used in its quarter of a second is lost: it stands still meanwhile.
    const clock = vi.spyOn(performance, "now").mockReturnValue(began);
    await takeRate(rate);
    const booked = await bookedUntil();
    const gone: number[] = [];
    await Promise.all(Array.from({ length: 9 }, async (_, index) => {
      await takeRate(rate);
      gone.push(index);
    }));
    clock.mockRestore();
    expect(gone).toEqual(Array.from({ length: 9 }, (_, index) => index));
    expect(await bookedUntil()).toEqual(booked);
    await Promise.all(Array.from({ length: 11 }, () => takeRate(rate)));
    expect(await bookedUntil()).not.toEqual(booked);
    expect(performance.now() - began).toBeGreaterThan(19 * 25 - 10);
  });

  test("the first goes at once, however long the second must wait", async () => {
    const rate = { tenantId: publisher.tenantId, adapterConfigId: publisher.adapterConfigId, ratePerSecond: 0.001 };
    await takeRate(rate);
    await expect(takeRate(rate, AbortSignal.timeout(50))).rejects.toMatchObject({ name: "TimeoutError" });
  });

  test("what another process has booked is waited for", async () => {
    const other = { tenantId: publisher.tenantId, adapterConfigId: publisher.adapterConfigId, ratePerSecond: 100 };
    const until = Date.now() + 400;
    await book(new Date(until));
    await takeRate(other);
    expect(Date.now()).toBeGreaterThanOrEqual(until - 10);
  });

  test("time that went unused allows no burst", async () => {
    await book(new Date(Date.now() - 3_600_000));
    const rate = { tenantId: publisher.tenantId, adapterConfigId: publisher.adapterConfigId, ratePerSecond: 20 };
    const began = performance.now();
    for (let n = 0; n < 6; n += 1) await takeRate(rate);
    expect(performance.now() - began).toBeGreaterThan(5 * 50 - 10);
  });

  test("a wait ends with its deadline", async () => {
    await book(new Date(Date.now() + 60_000));
    const late = new Error("too late");
    const signal = AbortSignal.timeout(50);
    await expect(takeRate({ tenantId: publisher.tenantId, adapterConfigId: publisher.adapterConfigId, ratePerSecond: 2 }, signal)).rejects.toThrow();
    const aborted = AbortSignal.abort(late);
    await expect(takeRate({ tenantId: publisher.tenantId, adapterConfigId: newId(), ratePerSecond: 2 }, aborted)).rejects.toThrow("too late");
  });
});
