"use server";

import { z } from "zod";
import { adminAction } from "@/lib/auth/action";
import { productInput } from "@/lib/products/input";
import { archiveProduct, restoreProduct, saveProduct } from "@/lib/products/service";
import { setPricingOptionBuyers, setProductVisibility } from "@/lib/products/visibility";
import { requestSyncJob } from "@/lib/sync-jobs/service";

export const saveProductAction = adminAction("product.edit", productInput, async (ctx, input, publisher) => {
  const saved = await saveProduct(ctx, input);
  if (input.id === undefined) return { message: "The product is on sale.", redirectTo: `/p/${publisher}/products/${saved.id}` };
  const replaced = saved.replacedPrices.map(({ from, to }) => `Price ${from} had been sold, so it is kept as it was; its new terms are ${to}.`);
  return { message: ["Saved.", ...replaced].join(" ") };
});

const one = z.strictObject({ id: z.uuid() });

export const archiveProductAction = adminAction("product.edit", one, async (ctx, { id }, publisher) => {
  await archiveProduct(ctx, { id });
  return { message: "The product is off sale.", redirectTo: `/p/${publisher}/products` };
});

export const restoreProductAction = adminAction("product.edit", one, async (ctx, { id }) => {
  await restoreProduct(ctx, { id });
  return { message: "The product is on sale again." };
});

export const syncAvailabilityAction = adminAction("inventory.sync", one, async (ctx, { id }) => {
  await requestSyncJob(ctx, { adapterConfigId: id, kind: "availability" });
  return { message: "The ad server is asked about all products that it carries." };
});

const ticked = z.preprocess((value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]), z.array(z.string()));
const audience = { version: z.string(), visibility: z.enum(["all", "selected"], "Choose who."), buyers: ticked };

export const setProductVisibilityAction = adminAction("product.edit", z.strictObject({ productId: z.uuid(), ...audience }), async (ctx, input) => {
  await setProductVisibility(ctx, input);
  return { message: "Saved: buying agents see it that way from now on." };
});

export const setPriceBuyersAction = adminAction("product.edit", z.strictObject({ pricingOptionId: z.uuid(), ...audience }), async (ctx, { pricingOptionId, version, visibility, buyers }) => {
  await setPricingOptionBuyers(ctx, { pricingOptionId, version, buyers: visibility === "all" ? null : buyers });
  return { message: "Saved: buying agents see it that way from now on." };
});
