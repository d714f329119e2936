import { z } from "zod";
import { simulatorUrl } from "./addresses";

const text = z.string();
const schema = z.object({
  networks: z.record(text, z.object({
    companies: z.array(z.object({ name: text, displayName: text })),
    adUnits: z.array(z.object({ name: text, adUnitCode: text })),
    orders: z.array(z.looseObject({ name: text, displayName: text, advertiser: text, status: text })),
    lineItems: z.array(z.looseObject({
      name: text, displayName: text, order: text, status: text.optional(), startTime: text, endTime: text.optional(), targetEndTime: text.optional(), rate: z.looseObject({}), lineItemType: text, costType: text,
      goal: z.looseObject({ units: z.union([z.string(), z.number()]) }), targeting: z.looseObject({}),
    })),
    creatives: z.array(z.looseObject({ name: text, displayName: text, advertiser: text })),
    associations: z.array(z.looseObject({ lineItem: text, creative: text, status: text.optional() })),
  })),
});

export type Network = z.infer<typeof schema>["networks"][string];

/** What the simulated ad server holds. */
export async function readNetwork(code = "21700000001"): Promise<Network> {
  const response = await fetch(`${simulatorUrl()}/__sim/state?network=${code}`);
  const network = schema.parse(await response.json()).networks[code];
  if (!network) throw new Error(`no network ${code}`);
  return network;
}

export type HeldOrder = { order: Network["orders"][number]; lineItems: Network["lineItems"]; associations: Network["associations"]; network: Network };

/** The orders whose name carries this media buy's id, with everything below them. */
export async function readOrders(mediaBuyId: string): Promise<HeldOrder[]> {
  const network = await readNetwork();
  return network.orders.filter((order) => order.displayName.includes(mediaBuyId)).map((order) => {
    const lineItems = network.lineItems.filter((line) => line.order === order.name);
    return { order, lineItems, associations: network.associations.filter((link) => lineItems.some((line) => line.name === link.lineItem)), network };
  });
}
