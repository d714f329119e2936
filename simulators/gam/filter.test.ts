import { describe, expect, test } from "vitest";
import { ApiError } from "./errors";
import { parseFilter } from "./filter";
import { compileFilter } from "./filter-match";
import type { JsonObject } from "./json";
import { associationKind } from "./resources/associations";
import { companyKind } from "./resources/companies";
import { creativeKind } from "./resources/creatives";
import { adUnitKind, customTargetingKeyKind, customTargetingValueKind, placementKind } from "./resources/inventory";
import { lineItemKind } from "./resources/line-items";
import { orderKind } from "./resources/orders";
import { findField } from "./schema";

const target = { message: "LineItem", collection: "lineItems", fields: lineItemKind.filterFields };

const rows: JsonObject[] = [
  { name: "networks/1/lineItems/1", displayName: "Alpha video", priority: 8, archived: false, lineItemType: "STANDARD", order: "networks/1/orders/5",
    updateTime: "2026-03-01T10:00:00Z", goal: { units: "1000" },
    targeting: { inventoryTargeting: { targetedPlacements: ["networks/1/placements/1", "networks/1/placements/2"] } } },
  { name: "networks/1/lineItems/2", displayName: 'Beta "quoted"', priority: 12, archived: false, lineItemType: "NETWORK", order: "networks/1/orders/6",
    updateTime: "2026-04-01T10:00:00.500Z", externalLineItemId: "pkg_b" },
  { name: "networks/1/lineItems/3", displayName: "Gamma", priority: 4, archived: true, lineItemType: "SPONSORSHIP", order: "networks/1/orders/5",
    updateTime: "2026-05-01T10:00:00Z" },
];

function select(text: string): string {
  const matches = compileFilter(parseFilter(text), target);
  return rows.filter(matches).map((row) => String(row["name"]).slice(-1)).join("");
}

describe("filter language", () => {
  test.each([
    ['displayName = "Gamma"', "3"],
    ["displayName != Gamma", "12"],
    ['displayName = "Beta \\"quoted\\""', "2"],
    ['displayName = "*video"', "1"],
    ['displayName = "A*v*"', "1"],
    ['displayName = "*a*"', "123"],
    ['displayName != "*video*"', "23"],
    ['displayName:"am"', "3"],
    ["lineItems.displayName = Gamma", "3"],
    ["priority > 4", "12"],
    ["priority <= 8", "13"],
    ["goal.units = 1000", "1"],
    ["archived = false", "12"],
    ["lineItemType = STANDARD", "1"],
    ["lineItemType != STANDARD", "23"],
    ['order = "networks/1/orders/5"', "13"],
    ["name = networks/1/lineItems/2", "2"],
    ['updateTime > "2026-03-15T00:00:00Z"', "23"],
    ["updateTime > 2026-04-01T06:00:00-05:00", "3"],
    ['updateTime > "2026-04-01T05:00:00-5:00"', "23"],
    ["externalLineItemId:*", "2"],
    ['externalLineItemId != "pkg_b"', "13"],
    ['targeting.inventoryTargeting.targetedPlacements:"networks/1/placements/2"', "1"],
    ['order = "networks/1/orders/5" AND archived = false', "1"],
    ["NOT archived = true", "12"],
    ["-archived = true", "12"],
    ["NOT (priority = 4 OR priority = 8)", "2"],
    // OR binds tighter than AND: (archived = false) AND (priority = 4 OR priority = 12).
    ["archived = false AND priority = 4 OR priority = 12", "2"],
    ["archived = true OR priority = 12 AND lineItemType = NETWORK", "2"],
    ["(archived = true AND priority = 4) OR priority = 8", "13"],
  ])("%s", (text, expected) => {
    expect(select(text)).toBe(expected);
  });

  test.each([
    "Gamma", "displayName", "displayName =", "= 5", "displayName = 'Gamma'", "displayName = \"open", "displayName Gamma",
    "priority = 4 priority = 8", "priority = 4 AND", "AND priority = 4", "(priority = 4", "priority = 4)", "priority == 4", "priority ! 4",
    "priority = high", "archived = yes", "archived > true", "lineItemType = Standard", "lineItemType > STANDARD",
    "updateTime > yesterday", 'displayName > "a*"', "unknownField = 1", "budget = 5", "rate.units = 1", "targeting = 1",
    'targeting.inventoryTargeting.targetedPlacements = "networks/1/placements/2"', "exists(displayName)", "orders.displayName = x",
    "displayName = a OR OR displayName = b", "NOT", "not archived = true",
  ])("refuses %s", (text) => {
    expect(() => select(text)).toThrow(ApiError);
  });

  test("every field that can be filtered on exists in the schema", () => {
    const kinds = [adUnitKind, associationKind, companyKind, creativeKind, customTargetingKeyKind, customTargetingValueKind, lineItemKind, orderKind, placementKind];
    for (const kind of kinds) {
      for (const field of kind.filterFields) expect(findField(kind.message, field), `${kind.message}.${field}`).toBeDefined();
    }
  });
});
