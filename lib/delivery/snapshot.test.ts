import { expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asSystem, days, homepage, list, order, place, readBuy, runOfSite } from "@/test/fixtures/orders";
import { createPublisher } from "@/test/fixtures/publisher";
import { findResponseProblem } from "../adcp/tool-schemas";
import { getMediaBuysTool } from "../adcp/tools/get-media-buys";
import { mediaBuys } from "../media-buys/schema";
import { recordDelivery } from "./service";

useTestDatabase();

/** Ten days into the flight. */
const MIDWAY = new Date(days(12));

test("a snapshot is what was last reported, with its age; without a report it says why there is none", async () => {
  const publisher = await createPublisher();
  const { mediaBuyId, payload } = await place(publisher, order({}, homepage(), runOfSite(), homepage({ budget: 2000 })));
  await asSystem(publisher, ({ db }) => db.update(mediaBuys).set({ status: "active" }));
  const { packages: [first, , third] } = await readBuy(publisher, mediaBuyId);
  const figures = { adapterConfigId: publisher.adapterConfigId, day: "2027-03-04", completedViews: null, conversions: null };
  await asSystem(publisher, (ctx) => recordDelivery(ctx, {
    source: "ad_server", syncedAt: new Date(MIDWAY.getTime() - 7_200_000),
    days: [{ ...figures, packageId: first?.id ?? "", impressions: 20_000, clicks: 12, spendMicros: 250_000_000n }, { ...figures, packageId: third?.id ?? "", impressions: 0, clicks: 0, spendMicros: 0n }],
  }));
  const page = await list(publisher, { media_buy_ids: [payload.media_buy_id], include_snapshot: true }, MIDWAY);
  expect(findResponseProblem(getMediaBuysTool, page)).toBeNull();
  const as_of = new Date(MIDWAY.getTime() - 7_200_000).toISOString();
  expect(page.media_buys[0]?.packages).toMatchObject([
    { snapshot: { as_of, staleness_seconds: 7_200, impressions: 20_000, clicks: 12, spend: 250, currency: "USD", pacing_index: 0.7563, delivery_status: "delivering" } },
    { snapshot_unavailable_reason: "SNAPSHOT_TEMPORARILY_UNAVAILABLE" },
    { snapshot: { as_of, impressions: 0, spend: 0, pacing_index: 0, delivery_status: "not_delivering" } },
  ]);
  const plain = await list(publisher, { media_buy_ids: [payload.media_buy_id] }, MIDWAY);
  expect(plain.media_buys[0]?.packages).not.toMatchObject([{ snapshot: expect.anything() }, {}, {}]);
});
