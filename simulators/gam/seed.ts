import type { JsonObject } from "./json";
import { createRandom } from "./rng";
import { SeedBuilder, seedTime, type SeedNetwork } from "./seed-builder";
import { seedInventory } from "./seed-inventory";
import { seedTargeting } from "./seed-targeting";
import type { Collection, Row } from "./table";

export const seedNetworks: readonly SeedNetwork[] = [
  { code: "21700000001", displayName: "Demo Publisher (simulated)", currencyCode: "USD", timeZone: "America/New_York", site: "demo-publisher.example" },
  { code: "21700000002", displayName: "Other Publisher (simulated)", currencyCode: "USD", timeZone: "Europe/London", site: "other-publisher.example" },
  { code: "21700000003", displayName: "Verlag Beispiel (simulated)", currencyCode: "EUR", timeZone: "Europe/Berlin", site: "verlag-beispiel.example" },
];

const advertisers = [
  "Acme Outdoor", "Nova Motors", "Bluebird Airlines", "Cascade Coffee Roasters", "Fernwood Furniture", "Granite Mutual Insurance",
  "Harbor Light Hotels", "Juniper Mobile", "Lumen Energy", "Marigold Beauty", "Northwind Foods", "Silverline Bank",
];

function seedCompanies(builder: SeedBuilder): void {
  const companies = [
    ...advertisers.map((displayName) => ({ displayName, type: "ADVERTISER" })),
    { displayName: "Pinnacle Media", type: "AGENCY" },
    { displayName: `${builder.definition.displayName} House Ads`, type: "HOUSE_ADVERTISER" },
  ];
  for (const { displayName, type } of companies) {
    const id = builder.nextId("companies", 4_731_208_455);
    builder.add("companies", `${builder.parent}/companies/${id}`, {
      companyId: id, displayName, type, creditStatus: "ACTIVE", updateTime: seedTime,
    });
  }
}

function seedUsers(builder: SeedBuilder): void {
  const users = [
    { displayName: "Robin Admin", email: `robin@${builder.definition.site}`, role: "-1" },
    { displayName: "Sam Trafficker", email: `sam@${builder.definition.site}`, role: "-5" },
  ];
  for (const { displayName, email, role } of users) {
    const id = builder.nextId("users", 244_860_112);
    builder.add("users", `${builder.parent}/users/${id}`, {
      userId: id, displayName, email, role: `${builder.parent}/roles/${role}`, active: true, serviceAccount: false,
      ordersUiLocalTimeZone: builder.definition.timeZone,
    });
  }
}

/** The same code and number of ad units give the same rows and ids, so a seed need not be stored. */
export function buildSeed(code: string, adUnits: number): { resource: JsonObject; rows: [Collection, Row][] } {
  const definition = seedNetworks.find((network) => network.code === code);
  if (!definition) throw new Error(`No seed for network ${code}`);
  const builder = new SeedBuilder(definition, createRandom(Number(code) % 4_294_967_296));
  seedUsers(builder);
  seedCompanies(builder);
  const root = seedInventory(builder, adUnits);
  seedTargeting(builder);
  const resource: JsonObject = {
    name: builder.parent,
    displayName: definition.displayName,
    networkCode: code,
    propertyCode: `ca-pub-${code}0000`,
    timeZone: definition.timeZone,
    currencyCode: definition.currencyCode,
    effectiveRootAdUnit: root,
    testNetwork: true,
    networkId: String(Number(code) - 21_699_000_000),
  };
  return { resource, rows: builder.rows };
}
