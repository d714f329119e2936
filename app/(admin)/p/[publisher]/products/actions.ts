"use server";

import { z } from "zod";
import { adminAction } from "@/lib/auth/action";
import { productInput } from "@/lib/products/input";
import { archiveProduct, restoreProduct, saveProduct } from "@/lib/products/service";

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
