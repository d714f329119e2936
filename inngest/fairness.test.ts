import { expect, test } from "vitest";
import { resolveByDns } from "@/lib/webhooks/address";
import { withTenant } from "@/lib/db/client";
import { log } from "@/lib/log";
import { createInngest } from "./client";
import { readList } from "./functions/read-inventory-list";

test("one buyer's slow agents leave a publisher's other buyers room to have their lists read", () => {
  const { opts } = readList(createInngest({}), { transact: withTenant, now: () => new Date(), log, resolve: resolveByDns });
  expect(opts.concurrency).toEqual([{ key: "event.data.tenantId", limit: 5 }, { key: "event.data.principalId", limit: 2 }]);
});
