import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { adServerDriver } from "../drivers";
import { bookableOrder, converge, KIND, makeCreative, startGam, type Gam } from "@/test/gam";

let gam: Gam;
beforeAll(async () => {
  gam = await startGam();
});
afterAll(() => gam.close());
beforeEach(() => gam.reset());

test("an order is created, approved and read back", async () => {
  const desired = bookableOrder(await gam.inventory(), {}, [{}, { productName: "Sport", creatives: [makeCreative({ weight: 30 }), makeCreative({ weight: 70 })] }]);
  const { applied, operations, last } = await converge(gam, desired);
  expect(operations.map(({ key }) => key)).toEqual(["create-order", "create-line-items:0", "create-creatives:0", "associate-creatives:0", "approve-order:0"]);
  expect(last?.outcome).toBe("done");
  const observation = await adServerDriver(KIND).observe(desired, applied, gam.call());
  expect(observation.differences).toEqual([]);
  expect(observation.isInSync).toBe(true);
  console.log(JSON.stringify(operations.map(({ summary, details }) => ({ summary, details })), null, 1), observation.statuses);
});
