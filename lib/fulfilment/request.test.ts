import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { changeOrder, createOrder, systemCtx } from "@/test/fixtures/order";
import { createPublisher } from "@/test/fixtures/publisher";
import { adapterConfigs } from "../ad-servers/schema";
import { withTenant } from "../db/client";
import { newId } from "../ids";
import { lockMediaBuy } from "../media-buys/queries";
import { openFulfilments, requestConvergence } from "./request";
import { fulfilments } from "./schema";

useTestDatabase();

test("a change that waited for another one reaches the fulfilment that the other opened", async () => {
  const order = await createOrder(await createPublisher());
  const secondId = newId();
  await withTenant(order.tenantId, async (tx) => {
    const [known] = await tx.select().from(adapterConfigs).where(eq(adapterConfigs.id, order.adapterConfigId));
    if (!known) throw new Error("The publisher has no connection.");
    await tx.insert(adapterConfigs).values({ ...known, id: secondId, name: "Another" });
  });
  let tellLocked: () => void = () => undefined;
  const locked = new Promise<void>((resolve) => (tellLocked = resolve));
  const opening = withTenant(order.tenantId, async (db) => {
    const ctx = systemCtx(db, order.tenantId);
    const { desiredVersion } = await lockMediaBuy(ctx, order.mediaBuyId);
    tellLocked();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await openFulfilments(ctx, order.mediaBuyId, [secondId], desiredVersion);
    await requestConvergence(ctx, order.mediaBuyId);
  });
  await locked;
  const version = await changeOrder(order, () => Promise.resolve());
  await opening;
  const marked = await withTenant(order.tenantId, (tx) => tx.select({ id: fulfilments.adapterConfigId, desiredVersion: fulfilments.desiredVersion }).from(fulfilments).where(eq(fulfilments.mediaBuyId, order.mediaBuyId)));
  expect(marked).toHaveLength(2);
  expect(marked.map(({ desiredVersion }) => desiredVersion)).toEqual([version, version]);
});

test("an order that is not the tenant's is no order", async () => {
  const order = await createOrder(await createPublisher());
  const other = await createPublisher();
  await expect(withTenant(other.tenantId, (db) => requestConvergence(systemCtx(db, other.tenantId), order.mediaBuyId))).rejects.toThrow("no media buy");
});
