import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { adServerDeclaration } from "@/lib/ad-servers/registry";
import { AdServerError, type AdServerDriver, type AppliedObject, type AppliedOrder, type Call, type DesiredCreative, type DesiredLine, type DesiredOrder, type Operation, type OperationResult } from "@/lib/ad-servers/types";
import { newId, toWireId } from "@/lib/ids";
import { startGamSimulator, type Simulator } from "@/simulators/gam/server";

/** Google Ad Manager's simulator over loopback, orders to carry out there, and what became of them. */

export const NETWORK = "21700000001";
export const KIND = "google_ad_manager";
const DAY_MS = 86_400_000;
/** Errors ask for seconds; the simulator needs none. */
const RETRY_DELAY_MAX_MS = 25;

type Row = Record<string, unknown> & { name: string };
type Inventory = { adUnitId: string; placementId: string; advertiserId: string; keyId: string; valueIds: string[] };

const journalSchema = z.object({
  entries: z.array(z.object({ method: z.string(), path: z.string(), query: z.string(), status: z.number(), outcome: z.string(), committed: z.boolean(), created: z.array(z.string()), body: z.unknown().optional() })),
});
const stateSchema = z.object({ networks: z.record(z.string(), z.record(z.string(), z.unknown())) });
const rowsSchema = z.array(z.looseObject({ name: z.string() }));

export type Gam = Awaited<ReturnType<typeof startGam>>;

/** @param driver adServerDriver(KIND): only a test may reach it */
export async function startGam(driver: AdServerDriver) {
  const simulator = await startGamSimulator({ inMemory: true });
  const admin = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${simulator.url}/__sim${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response.json();
  };
  const rows = async (collection: string): Promise<Row[]> => {
    const state = stateSchema.parse(await admin("GET", `/state?network=${NETWORK}&collections=${collection}`));
    return rowsSchema.parse(state.networks[NETWORK]?.[collection]);
  };
  return {
    simulator, driver, admin, rows, url: simulator.url,
    call: (changes: Partial<Call> = {}): Call => makeCall(simulator, changes),
    addFault: (fault: Record<string, unknown>) => admin("POST", "/faults", fault),
    clearFaults: () => admin("DELETE", "/faults"),
    reset: async () => {
      await admin("DELETE", "/faults");
      await admin("DELETE", "/journal");
      await admin("DELETE", `/state?network=${NETWORK}`);
    },
    journal: async (path: string, method = "POST") => journalSchema.parse(await admin("GET", `/journal?method=${method}&path=${encodeURIComponent(path)}`)).entries,
    inventory: async (): Promise<Inventory> => readInventory(rows),
    close: () => simulator.close(),
  };
}

function makeCall(simulator: Simulator, changes: Partial<Call>): Call {
  return {
    baseUrl: simulator.url,
    connection: { networkCode: NETWORK, lookUpPauseMs: 20 },
    credentials: JSON.stringify(simulator.serviceAccountKey(NETWORK)),
    correlationId: "test", deadlineMs: 60_000, takeRate: async () => undefined, now: () => new Date(), ...changes,
  };
}

async function readInventory(rows: (collection: string) => Promise<Row[]>): Promise<Inventory> {
  const find = async (collection: string, matches: (row: Row) => boolean) => {
    const row = (await rows(collection)).find(matches);
    if (!row) throw new Error(`The simulator has no such row in ${collection}`);
    return row;
  };
  const key = await find("customTargetingKeys", (row) => row.adTagName === "section");
  const values = (await rows("customTargetingValues")).filter((row) => row.customTargetingKey === key.name).slice(0, 2);
  return {
    adUnitId: lastSegment((await find("adUnits", (row) => row.adUnitCode === "home_mpu")).name),
    placementId: lastSegment((await find("placements", (row) => row.displayName === "Sport")).name),
    advertiserId: lastSegment((await find("companies", (row) => row.displayName === "Acme Outdoor")).name),
    keyId: lastSegment(key.name), valueIds: values.map(({ name }) => lastSegment(name)),
  };
}

export function lastSegment(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** In whole seconds, as the API keeps times. */
export function inDays(days: number): string {
  return new Date(Math.floor((Date.now() + days * DAY_MS) / 1000) * 1000).toISOString();
}

export function makeCreative(changes: Partial<DesiredCreative> = {}): DesiredCreative {
  const creativeId = changes.creativeId ?? newId();
  const suffix = `[cr_${creativeId.slice(-12)}]`;
  return {
    creativeId, version: 1, name: `Spring banner ${suffix}`, suffix, kind: "display", width: 300, height: 250, durationMs: null,
    source: { type: "image_url", url: "https://cdn.example/banner.png" }, clickUrl: "https://acme.example/spring", impressionTrackerUrls: [], weight: null, ...changes,
  };
}

export function makeLine(changes: Partial<DesiredLine> = {}): DesiredLine {
  const packageId = changes.packageId ?? newId();
  const productName = changes.productName ?? "Homepage display";
  return {
    packageId, productName, name: `${productName} [${toWireId("package", packageId)}]`, target: { adUnitIds: ["1001"], placementIds: [], lineItemType: "STANDARD", priority: 8, names: { 1001: "Homepage Top" } },
    deliveryType: "guaranteed", pricingModel: "cpm", rateMicros: "12500000", budgetMicros: "1250000000", currency: "USD", units: "100000",
    startsAt: inDays(1), endsAt: inDays(31), pacing: "even", isPaused: false, isHeld: false, isCanceled: false, targeting: {},
    placeholders: [{ width: 300, height: 250, kind: "display" }], creatives: [makeCreative()], ...changes,
  };
}

export function makeOrder(changes: Partial<DesiredOrder> = {}): DesiredOrder {
  const mediaBuyId = changes.mediaBuyId ?? newId();
  const suffix = `[${toWireId("mediaBuy", mediaBuyId)}]`;
  return {
    tenantId: newId(), mediaBuyId, fulfilmentId: newId(), adapterConfigId: newId(), version: 1, name: `Spring launch ${suffix}`, suffix, poNumber: "PO-77", currency: "USD",
    timeZone: "America/New_York", externalOrderNumber: Math.floor(Math.random() * 2_000_000_000) + 1, advertiserExternalId: "4731208456", advertiserToCreate: null,
    isEnded: false, isPaused: false, isOverbookingAllowed: false, isInventoryCheckSkipped: false, lines: [makeLine()], ...changes,
  };
}

/** An order that the simulator's first network can hold. */
export function bookableOrder(inventory: Inventory, changes: Partial<DesiredOrder> = {}, lineChanges: Partial<DesiredLine>[] = [{}]): DesiredOrder {
  const target = { adUnitIds: [inventory.adUnitId], placementIds: [], lineItemType: "STANDARD", priority: 8 };
  return makeOrder({ advertiserExternalId: inventory.advertiserId, lines: lineChanges.map((line) => makeLine({ target, ...line })), ...changes });
}

export function mergeApplied(applied: AppliedOrder, objects: AppliedObject[]): AppliedOrder {
  const merged = new Map(applied.objects.map((object) => [`${object.kind} ${object.ourKey}`, object]));
  for (const object of objects) merged.set(`${object.kind} ${object.ourKey}`, structuredClone(object));
  return { objects: [...merged.values()] };
}

export type Convergence = { applied: AppliedOrder; operations: Operation[]; last: OperationResult | undefined; blocked: { code: string; reason: string } | undefined; errors: AdServerError[]; advertiserId?: string };

/**
 * As the fulfilment does: plan, carry out each operation (again after an error that is not permanent), keep what was written, until
 * nothing remains or the ad server or a person is waited for. Payloads go through JSON, as through the journal.
 */
export async function converge(gam: Gam, desired: DesiredOrder, applied: AppliedOrder = { objects: [] }, changes: Partial<Call> = {}): Promise<Convergence> {
  const { plan } = adServerDeclaration(KIND);
  const state: Convergence = { applied, operations: [], last: undefined, blocked: undefined, errors: [] };
  let order = desired;
  for (let round = 0; round < 4; round += 1) {
    const planned = plan(order, state.applied, gam.call(changes).now());
    if (planned.outcome === "blocked") return { ...state, blocked: planned };
    if (planned.operations.length === 0) return state;
    for (const operation of planned.operations) {
      state.operations.push(operation);
      state.last = await executeUntilAnswered(gam, operation, state, changes);
      if (state.last.outcome !== "done") return state;
      state.applied = mergeApplied(state.applied, state.last.objects);
      const { advertiser } = state.last.externalIds;
      if (advertiser) order = { ...order, advertiserExternalId: advertiser, advertiserToCreate: null };
      if (advertiser) state.advertiserId = advertiser;
    }
  }
  throw new Error(`Four plans were not enough: ${state.operations.map(({ key }) => key).join(", ")}`);
}

async function executeUntilAnswered(gam: Gam, operation: Operation, state: Convergence, changes: Partial<Call>): Promise<OperationResult> {
  const payload = z.record(z.string(), z.unknown()).parse(JSON.parse(JSON.stringify(operation.payload)));
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await gam.driver.execute({ kind: operation.kind, payload, attempts }, gam.call(changes));
    } catch (error) {
      if (!(error instanceof AdServerError)) throw error;
      state.errors.push(error);
      if (error.options.isPermanent || attempts >= 8) throw error;
      await sleep(Math.min(error.options.retryAfterMs ?? 0, RETRY_DELAY_MAX_MS));
    }
  }
}
