import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
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

const bookedUntil = async () => (await withTenant(publisher.tenantId, (tx) => tx.select().from(adapterRates).where(eq(adapterRates.tenantId, publisher.tenantId))))[0]?.bookedUntil;
const book = (until: Date) => withTenant(publisher.tenantId, (tx) => tx.insert(adapterRates).values({ tenantId: publisher.tenantId, adapterConfigId: publisher.adapterConfigId, bookedUntil: until }));

describe("a connection's rate", () => {
  test("requests are spaced, and most of them cost no query", async () => {
    const rate = { tenantId: publisher.tenantId, adapterConfigId: publisher.adapterConfigId, ratePerSecond: 40 };
    const began = performance.now();
    await takeRate(rate);
    const first = performance.now() - began;
    const booked = await bookedUntil();
    const times: number[] = [];
    await Promise.all(Array.from({ length: 9 }, async () => {
      await takeRate(rate);
      times.push(performance.now());
    }));
    expect(await bookedUntil()).toEqual(booked);
    await Promise.all(Array.from({ length: 11 }, () => takeRate(rate)));
    expect(await bookedUntil()).not.toEqual(booked);
    expect(first).toBeLessThan(250);
    expect(performance.now() - began).toBeGreaterThan(19 * 25 - 10);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test("what another process has booked is waited for", async () => {
    const other = { tenantId: publisher.tenantId, adapterConfigId: publisher.adapterConfigId, ratePerSecond: 100 };
    await book(new Date(Date.now() + 400));
    const began = performance.now();
    await takeRate(other);
    expect(performance.now() - began).toBeGreaterThan(250);
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
