import { setTimeout as sleep } from "node:timers/promises";
import { type z } from "zod";
import { AdServerError, type Call, type InventoryItem } from "../types";
import { GamClient, type ListSpec, type Page } from "./client";
import { sizeText } from "./creatives";
import { chunk } from "./planning";
import { quote } from "./execute/lookup";
import { adUnitSchema, companySchema, idOf, placementSchema, targetingKeySchema, targetingValueSchema } from "./resources";

type InventoryPage = { phase: string; items: InventoryItem[]; total?: number };

const READ_ATTEMPTS = 4;
/** Predefined keys whose values are asked for at once. */
const KEYS_AT_ONCE = 20;

/** Everything that can be targeted, and the advertisers, page by page. */
export async function* syncInventory(call: Call): AsyncIterable<InventoryPage> {
  const client = new GamClient(call);
  yield* listAdUnits(client);
  yield* listPlacements(client);
  const keys: InventoryItem[] = [];
  for await (const page of listKeys(client)) {
    keys.push(...page.items);
    yield page;
  }
  yield* listValues(client, keys);
  yield* listAdvertisers(client);
}

function listAdUnits(client: GamClient): AsyncIterable<InventoryPage> {
  const fields = "adUnits(name,displayName,adUnitCode,parentAdUnit,parentPath,status,hasChildren,adUnitSizes),nextPageToken,totalSize";
  return phase(client, "ad_unit", { path: `${client.network}/adUnits`, key: "adUnits", schema: adUnitSchema, fields }, (unit) => ({
    kind: "ad_unit", externalId: idOf(unit.name), parentExternalId: unit.parentAdUnit === "" ? null : idOf(unit.parentAdUnit), name: unit.displayName,
    // The root stands for the network: it adds nothing to a path.
    path: [...unit.parentPath.slice(1).map(({ displayName }) => displayName), unit.displayName].join(" > "), status: unit.status || null,
    data: {
      code: unit.adUnitCode, hasChildren: unit.hasChildren, isRoot: unit.parentAdUnit === "",
      sizes: unit.adUnitSizes.map(({ size }) => sizeText(size)), environments: [...new Set(unit.adUnitSizes.map(({ environmentType }) => environmentType))],
    },
  }));
}

function listPlacements(client: GamClient): AsyncIterable<InventoryPage> {
  const fields = "placements(name,displayName,description,status,targetedAdUnits),nextPageToken,totalSize";
  return phase(client, "placement", { path: `${client.network}/placements`, key: "placements", schema: placementSchema, fields }, (placement) => ({
    kind: "placement", externalId: idOf(placement.name), parentExternalId: null, name: placement.displayName, path: placement.displayName, status: placement.status || null,
    data: { description: placement.description, adUnitIds: placement.targetedAdUnits.map(idOf) },
  }));
}

function listKeys(client: GamClient): AsyncIterable<InventoryPage> {
  const fields = "customTargetingKeys(name,displayName,adTagName,type,status),nextPageToken,totalSize";
  return phase(client, "targeting_key", { path: `${client.network}/customTargetingKeys`, key: "customTargetingKeys", schema: targetingKeySchema, fields }, (key) => ({
    kind: "targeting_key", externalId: idOf(key.name), parentExternalId: null, name: key.displayName || key.adTagName, path: key.displayName || key.adTagName, status: key.status || null,
    data: { adTagName: key.adTagName, type: key.type },
  }));
}

/**
 * Values of predefined keys, several keys at once; of a freeform key the first thousand, for it may hold millions.
 * Inactive keys can target nothing.
 */
async function* listValues(client: GamClient, keys: InventoryItem[]): AsyncIterable<InventoryPage> {
  const active = keys.filter(({ status }) => status !== "INACTIVE");
  const names = new Map(active.map(({ externalId, name }) => [externalId, name]));
  const freeform = active.filter(({ data }) => data.type === "FREEFORM");
  await client.call.onProgress?.("targeting_value", 0);
  const groups = [...chunk(active.filter((key) => !freeform.includes(key)), KEYS_AT_ONCE).map((group) => ({ group, isWhole: true })), ...freeform.map((key) => ({ group: [key], isWhole: false }))];
  let done = 0;
  for (const { group, isWhole } of groups) {
    const filter = group.map(({ externalId }) => `customTargetingKey = ${quote(client.name("customTargetingKeys", externalId))}`).join(" OR ");
    const spec = { path: `${client.network}/customTargetingValues`, key: "customTargetingValues", schema: targetingValueSchema, filter };
    for await (const page of readPages(client, spec)) {
      const items = page.items.map((value): InventoryItem => {
        const parent = idOf(value.customTargetingKey);
        const name = value.displayName || value.adTagName;
        return { kind: "targeting_value", externalId: idOf(value.name), parentExternalId: parent, name, path: `${names.get(parent) ?? parent} = ${name}`, status: value.status || null, data: { adTagName: value.adTagName, matchType: value.matchType } };
      });
      yield { phase: "targeting_value", items };
      done += items.length;
      await client.call.onProgress?.("targeting_value", done);
      if (!isWhole) break;
    }
  }
}

function listAdvertisers(client: GamClient): AsyncIterable<InventoryPage> {
  const fields = "companies(name,displayName,type,externalId),nextPageToken,totalSize";
  const filter = 'type = "ADVERTISER" OR type = "HOUSE_ADVERTISER"';
  return phase(client, "advertiser", { path: `${client.network}/companies`, key: "companies", schema: companySchema, fields, filter }, (company) => ({
    kind: "advertiser", externalId: idOf(company.name), parentExternalId: null, name: company.displayName, path: null, status: null, data: { type: company.type, externalId: company.externalId },
  }));
}

async function* phase<S extends z.ZodType>(client: GamClient, name: InventoryItem["kind"], spec: ListSpec<S>, toItem: (row: z.output<S>) => InventoryItem): AsyncIterable<InventoryPage> {
  let done = 0;
  let total: number | undefined;
  await client.call.onProgress?.(name, 0);
  for await (const page of readPages(client, spec)) {
    total ??= page.total;
    yield { phase: name, items: page.items.map(toItem), ...(total === undefined ? {} : { total }) };
    // Only what the caller has taken counts as done.
    done += page.items.length;
    await client.call.onProgress?.(name, done, total);
  }
}

async function* readPages<S extends z.ZodType>(client: GamClient, spec: ListSpec<S>): AsyncIterable<Page<z.output<S>>> {
  let pageToken = "";
  do {
    const page = await readPage(client, spec, pageToken);
    yield page;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}

/** A sync has many pages: one that meets a busy moment is read again instead of losing all before it. */
async function readPage<S extends z.ZodType>(client: GamClient, spec: ListSpec<S>, pageToken: string): Promise<Page<z.output<S>>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await client.page(spec, pageToken);
    } catch (error) {
      if (!(error instanceof AdServerError) || error.options.isPermanent || attempt >= READ_ATTEMPTS) throw error;
      await sleep(error.options.retryAfterMs ?? client.lookUpPauseMs * attempt, undefined, { signal: client.call.signal });
    }
  }
}
