import { z } from "zod";
import { AdServerError, type AdServerDeclaration, type AdServerDriver, type AppliedObject, type AppliedOrder, type DesiredOrder, type Operation, type OperationResult, type Plan } from "@/lib/ad-servers/types";

/** An ad server in memory with the awkward habits of a real one: no unique names, no request ids, replies that get lost. */
type RemoteOrder = { id: string; number: number; name: string; advertiser: string; isApproved: boolean; isArchived: boolean };
type RemoteLine = { id: string; orderId: string; key: string; units: string; isPaused: boolean };

export type Fault = "lose_reply" | "refuse" | "busy" | "not_ready" | "short" | "break" | undefined;

const loose = z.record(z.string(), z.unknown());
const orderPayload = z.object({ number: z.number(), name: z.string(), suffix: z.string(), advertiser: z.string().nullable(), key: z.string() });
const linesPayload = orderPayload.extend({ lines: z.array(z.object({ key: z.string(), units: z.string() })) });
const advertiserPayload = z.object({ name: z.string() });

const LINES_PER_BATCH = 2;
let nextId = 1_000;

export class FakeAdServer {
  orders: RemoteOrder[] = [];
  lines: RemoteLine[] = [];
  advertisers: { id: string; name: string }[] = [];
  /** Every effect, in order. */
  effects: string[] = [];
  readonly calls: { kind: string; attempts: number }[] = [];

  /** @param at called before and after each effect and around each read: where a test kills, waits or breaks */
  constructor(private readonly at: (where: string) => Promise<void> = async () => undefined, private readonly fault: (kind: string) => Fault = () => undefined) {}

  readonly declaration: AdServerDeclaration = {
    kind: "google_ad_manager", label: "Fake", capabilities: { pricingModels: ["cpm"], creativeSources: ["image_url", "html"], targetingDimensions: [] },
    connectionSchema: loose, productTargetSchema: loose, networkKey: () => "fake", defaultRatePerSecond: { live: 100, simulated: 100 },
    parseCredentials: () => ({ hint: "fake" }), checkLine: () => [],
    plan: (desired, applied) => this.plan(desired, applied),
  };

  readonly driver: AdServerDriver = {
    kind: "google_ad_manager",
    execute: async ({ kind, payload, attempts }, call) => {
      await call.takeRate();
      this.calls.push({ kind, attempts });
      return this.execute(kind, payload);
    },
    observe: async (desired, applied) => {
      await this.at("observe");
      return this.observe(desired, applied);
    },
    testConnection: async () => ({ networkName: "Fake", currency: "USD", timeZone: "Europe/London", notes: [] }),
    async *readDelivery() {
      yield { phase: "days", counts: [] };
    },
    async *readAvailability({ items }) {
      for (const { key } of items) yield { key, days: [] };
    },
    async *syncInventory() {
      yield { phase: "Ad units", items: [] };
    },
  };

  private plan(desired: DesiredOrder, applied: AppliedOrder): Plan {
    const order = applied.objects.find(({ kind }) => kind === "order");
    const written = new Map(applied.objects.filter(({ kind }) => kind === "line_item").map((line) => [line.ourKey, line]));
    const base = { number: desired.externalOrderNumber, name: desired.name, suffix: desired.suffix, advertiser: desired.advertiserExternalId, key: desired.fulfilmentId };
    const operations: Operation[] = [];
    const add = (key: string, payload: Record<string, unknown>) => operations.push({ key, kind: key.replace(/:\d+$/, ""), summary: key, details: [key], payload });
    if (desired.isEnded) {
      if (order && order.applied.isArchived !== true) add("archive-order", base);
      return { outcome: "operations", operations };
    }
    if (desired.advertiserExternalId === null) {
      if (desired.advertiserToCreate === null) return { outcome: "blocked", code: "choose_advertiser", reason: "No advertiser stands for this account.", choices: [{ id: "retry", label: "Try again" }, { id: "give_up", label: "Give up" }] };
      add("create-advertiser", { name: desired.advertiserToCreate });
    }
    if (!order) add("create-order", base);
    const missing = desired.lines.filter(({ packageId, isCanceled }) => !isCanceled && !written.has(packageId)).map(({ packageId, units }) => ({ key: packageId, units }));
    for (let from = 0; from < missing.length; from += LINES_PER_BATCH) add(`create-line-items:${from / LINES_PER_BATCH}`, { ...base, lines: missing.slice(from, from + LINES_PER_BATCH) });
    const changed = desired.lines.filter(({ packageId, units }) => written.has(packageId) && written.get(packageId)?.applied.units !== units).map(({ packageId, units }) => ({ key: packageId, units }));
    if (changed.length > 0) add("update-line-items", { ...base, lines: changed });
    const packages = desired.lines.map(({ packageId }) => packageId).sort().join();
    if (order?.applied.approved !== packages) add("approve-order", { ...base, lines: desired.lines.map(({ packageId, units }) => ({ key: packageId, units })) });
    return { outcome: "operations", operations };
  }

  private async execute(kind: string, payload: Record<string, unknown>): Promise<OperationResult> {
    await this.at(`${kind}: asked`);
    const fault = this.fault(kind);
    if (fault === "refuse") throw new AdServerError("refused", "The ad server refused this.", { isPermanent: true, isAmbiguous: false });
    if (fault === "busy") throw new AdServerError("rate_limited", "The ad server asks for fewer requests.", { isPermanent: false, isAmbiguous: false, retryAfterMs: 5_000 });
    if (fault === "break") throw new TypeError("something the driver did not foresee");
    if (fault === "not_ready") return { outcome: "wait", reason: "There is no forecast yet." };
    if (fault === "short") return { outcome: "blocked", code: "not_enough_inventory", reason: "There is not enough inventory.", choices: [{ id: "overbook", label: "Overbook" }, { id: "give_up", label: "Give up" }] };
    const result = await this.apply(kind, payload);
    await this.at(`${kind}: done`);
    if (fault === "lose_reply") throw new AdServerError("connection_lost", "The connection broke before the answer.", { isPermanent: false, isAmbiguous: true });
    return result;
  }

  private async apply(kind: string, payload: Record<string, unknown>): Promise<OperationResult> {
    if (kind === "create-advertiser") return this.createAdvertiser(advertiserPayload.parse(payload).name);
    if (kind === "create-order") return this.createOrder(orderPayload.parse(payload));
    const request = kind === "archive-order" ? { ...orderPayload.parse(payload), lines: [] } : linesPayload.parse(payload);
    const order = this.orders.find(({ number, name }) => number === request.number && name.includes(request.suffix));
    if (!order) throw new AdServerError("not_visible_yet", "The order is not listed yet.", { isPermanent: false, isAmbiguous: false });
    if (kind === "create-line-items") return this.createLines(order, request.lines);
    await this.effect(kind);
    const approved = request.lines.map(({ key }) => key).sort().join();
    if (kind === "archive-order") order.isArchived = true;
    if (kind === "approve-order") order.isApproved = true;
    if (kind === "update-line-items") for (const { key, units } of request.lines) for (const line of this.lines.filter((row) => row.key === key)) line.units = units;
    const orderObject: AppliedObject = { kind: "order", ourKey: request.key, externalId: order.id, applied: kind === "approve-order" ? { approved } : { isArchived: order.isArchived } };
    return done(kind === "update-line-items" ? request.lines.map(({ key, units }) => this.lineObject(key, units)) : [orderObject]);
  }

  private async createAdvertiser(name: string): Promise<OperationResult> {
    const found = this.advertisers.find((row) => row.name === name);
    const advertiser = found ?? { id: this.newId(), name };
    await this.at("advertiser looked up");
    if (!found) {
      await this.effect("create-advertiser");
      this.advertisers.push(advertiser);
    }
    return { outcome: "done", objects: [], externalIds: { advertiser: advertiser.id } };
  }

  /** Find before create, as every driver must. */
  private async createOrder({ number, name, suffix, advertiser, key }: z.infer<typeof orderPayload>): Promise<OperationResult> {
    const found = this.orders.find((row) => row.number === number && row.name.includes(suffix));
    await this.at("order looked up");
    const order = found ?? { id: this.newId(), number, name, advertiser: advertiser ?? "by name", isApproved: false, isArchived: false };
    if (!found) {
      await this.effect("create-order");
      this.orders.push(order);
    }
    return done([{ kind: "order", ourKey: key, externalId: order.id, applied: { isArchived: false } }]);
  }

  private async createLines(order: RemoteOrder, wanted: { key: string; units: string }[]): Promise<OperationResult> {
    const missing = wanted.filter(({ key }) => !this.lines.some((line) => line.orderId === order.id && line.key === key));
    await this.at("lines looked up");
    if (missing.length > 0) {
      await this.effect("create-line-items");
      for (const { key, units } of missing) this.lines.push({ id: this.newId(), orderId: order.id, key, units, isPaused: false });
    }
    return done(wanted.map(({ key, units }) => this.lineObject(key, units)));
  }

  private lineObject(key: string, units: string): AppliedObject {
    return { kind: "line_item", ourKey: key, externalId: this.lines.find((line) => line.key === key)?.id ?? "missing", applied: { units } };
  }

  private observe(desired: DesiredOrder, applied: AppliedOrder) {
    const differences = desired.isEnded ? [] : desired.lines.flatMap(({ packageId, units, productName }) => {
      const observed = this.lines.find(({ key }) => key === packageId)?.units ?? "nothing";
      return observed === units ? [] : [{ object: `Line item “${productName}”`, ourKey: packageId, field: "units", expected: units, observed }];
    });
    const isEnded = this.orders.every(({ id, isArchived }) => isArchived || !applied.objects.some(({ externalId }) => externalId === id));
    return { isInSync: differences.length === 0 && (!desired.isEnded || isEnded), differences, statuses: {} };
  }

  private async effect(kind: string): Promise<void> {
    await this.at(`${kind}: before its effect`);
    this.effects.push(kind);
  }

  private newId(): string {
    nextId += 1;
    return String(nextId);
  }
}

function done(objects: AppliedObject[]): OperationResult {
  return { outcome: "done", objects, externalIds: Object.fromEntries(objects.map(({ kind, ourKey, externalId }) => [`${kind}:${ourKey}`, externalId])) };
}
