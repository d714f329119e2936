import { type z } from "zod";

/**
 * The interface every ad server implements, in three files (see docs/decisions): `declare.ts` and `plan.ts` are pure and may be
 * imported anywhere; `driver.ts` speaks to the wire and is reachable from worker code only.
 * Everything here is JSON-serialisable: money and units are decimal strings of bigints, times ISO 8601 with zone.
 */

export type PricingModel = "cpm" | "cpc" | "time" | "flat_rate";

/** What one connection should hold for one media buy. Built from Postgres alone (lib/fulfilment/desired.ts). */
export type DesiredOrder = {
  tenantId: string;
  mediaBuyId: string;
  fulfilmentId: string;
  adapterConfigId: string;
  version: number;
  /** Name for the ad server, ending in the suffix that proves an order ours: "Spring launch [mb_01…]". ≤ 255 characters. */
  name: string;
  suffix: string;
  poNumber: string | null;
  currency: string;
  /** Time zone of the connection. */
  timeZone: string;
  externalOrderNumber: number;
  /** null: no advertiser is chosen yet for this account. */
  advertiserExternalId: string | null;
  /** Set when there is no advertiser and the publisher allows creating one. */
  advertiserToCreate: string | null;
  /** canceled, rejected or completed: nothing may deliver any more. */
  isEnded: boolean;
  isPaused: boolean;
  /** Overbooking is the publisher's choice, for this order or always. */
  isOverbookingAllowed: boolean;
  isInventoryCheckSkipped: boolean;
  lines: DesiredLine[];
};

export type DesiredLine = {
  packageId: string;
  /** Ends in the package's wire id, unique in the order. */
  name: string;
  productName: string;
  /** Config in the form of the ad server's productTargetSchema, frozen when sold. */
  target: Record<string, unknown>;
  deliveryType: "guaranteed" | "non_guaranteed";
  pricingModel: PricingModel;
  rateMicros: string;
  budgetMicros: string;
  currency: string;
  /** Impressions (cpm), clicks (cpc) or days (time, flat_rate) of this package alone. */
  units: string;
  startsAt: string;
  endsAt: string;
  pacing: "even" | "asap" | "front_loaded";
  isPaused: boolean;
  /** It must not run for a reason other than its buyer's wish: what does not exist yet is not made, what exists is paused. */
  isHeld: boolean;
  isCanceled: boolean;
  /** AdCP targeting_overlay that this product's ad server can express. */
  targeting: Record<string, unknown>;
  /** Creative sizes and kinds that the sold formats allow. */
  placeholders: { width: number; height: number; kind: CreativeKind }[];
  creatives: DesiredCreative[];
};

export type CreativeKind = "display" | "video" | "native" | "audio";

/** What a creative is made of: the ways to serve one. */
export type CreativeSource = DesiredCreative["source"]["type"];

export type DesiredCreative = {
  /** Our uuid. */
  creativeId: string;
  version: number;
  name: string;
  suffix: string;
  kind: CreativeKind;
  width: number;
  height: number;
  durationMs: number | null;
  /** Exactly one way to serve it. */
  source:
    | { type: "image_url"; url: string }
    | { type: "html"; html: string }
    | { type: "script_url"; url: string }
    | { type: "vast_url"; url: string }
    | { type: "video_url"; url: string }
    | { type: "audio_url"; url: string }
    | { type: "native"; fields: Record<string, string> };
  clickUrl: string | null;
  impressionTrackerUrls: string[];
  weight: number | null;
};

/** What we have successfully written so far, from external_objects: `applied` is what the last write of that object said. */
export type AppliedObject = { kind: ExternalKind; ourKey: string; externalId: string; applied: Record<string, unknown> };
export type ExternalKind = "order" | "line_item" | "creative" | "association";
export type AppliedOrder = { objects: AppliedObject[] };

/**
 * One remote effect, at most one batch call of at most 50 things. Idempotent by look-up: `execute` finds what already exists
 * before it creates, whether or not it ran before.
 */
export type Operation = {
  /**
   * Stable name of the effect within a version: `create-order`, `create-line-items:0`. Those that make new objects begin with `create-`
   * or `associate-`: when their outcome is unknown, they run again before anything else is planned, so that nothing they made is forgotten.
   */
  key: string;
  kind: string;
  /** One line for staff: "Create 3 line items". */
  summary: string;
  /** Details for the preview on the review screen, in words: one per object. */
  details: string[];
  /** Input of `execute`, understood by this ad server alone. */
  payload: Record<string, unknown>;
};

export type PlanProblem = { code: string; message: string; packageId?: string };

export type Plan =
  | { outcome: "operations"; operations: Operation[] }
  /** Cannot go on without a person. */
  | { outcome: "blocked"; code: string; reason: string; choices: { id: string; label: string }[] };

export type OperationResult =
  | { outcome: "done"; objects: AppliedObject[]; externalIds: Record<string, string>; correlationId?: string; note?: string }
  /** The ad server is not ready (forecast, approval): plan again later. */
  | { outcome: "wait"; reason: string; correlationId?: string }
  /** A person must decide. */
  | { outcome: "blocked"; code: string; reason: string; choices: { id: string; label: string }[]; correlationId?: string };

/** A value that the ad server has and we did not expect. */
export type Difference = { object: string; ourKey: string; field: string; expected: string; observed: string };

export type Observation = { isInSync: boolean; differences: Difference[]; /** Line items delivering etc., for people. */ statuses: Record<string, string> };

/** Thrown by drivers. Ambiguous: the effect may have happened; it is looked up before it is repeated. */
export class AdServerError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly options: { isPermanent: boolean; isAmbiguous: boolean; retryAfterMs?: number; correlationId?: string; httpStatus?: number; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.name = "AdServerError";
  }
}

/** What a driver gets for each call, and nothing more. Credentials never leave it. */
export type Call = {
  baseUrl: string;
  /** config of the connection, already parsed by connectionSchema. */
  connection: Record<string, unknown>;
  credentials: string;
  correlationId: string;
  /** Absolute deadline of each remote request, in milliseconds from its start. */
  deadlineMs: number;
  /** Waits for the connection's shared rate before each remote request. */
  takeRate(): Promise<void>;
  signal?: AbortSignal;
  now(): Date;
  /** Reports progress of long work; renews the lease. */
  onProgress?(phase: string, done: number, total?: number): Promise<void>;
};

export type InventoryItem = {
  kind: "ad_unit" | "placement" | "targeting_key" | "targeting_value" | "advertiser";
  externalId: string;
  parentExternalId: string | null;
  name: string;
  path: string | null;
  status: string | null;
  data: Record<string, unknown>;
};

/** Pure half: declare.ts gathers it. */
export type AdServerDeclaration = {
  kind: string;
  label: string;
  capabilities: { pricingModels: PricingModel[]; creativeSources: CreativeSource[]; targetingDimensions: string[] };
  /** Settings without secrets: network code, trafficker … */
  connectionSchema: z.ZodType<Record<string, unknown>>;
  productTargetSchema: z.ZodType<Record<string, unknown>>;
  /** Which of the ad server's networks a parsed config names. Orders live there: it stays as it is once orders were sent. */
  networkKey(config: Record<string, unknown>): string;
  defaultRatePerSecond: { live: number; simulated: number };
  /** Checks pasted credentials in form only; returns what identifies them to a person. Throws AppError VALIDATION_ERROR. */
  parseCredentials(text: string): { hint: string };
  /** Why this package cannot be sold through this connection, before it is sold. Empty: it can. */
  checkLine(line: DesiredLine): PlanProblem[];
  plan(desired: DesiredOrder, applied: AppliedOrder, now: Date): Plan;
  /** What reading back should find, compared by `observe`. */
};

/** What of one line item an ad server counted on one day of the connection's zone. `cut`: the slice of the day that this is, else the whole. */
export type DeliveryCount = {
  day: string;
  lineItemExternalId: string;
  cut?: { dimension: "creative" | "country"; key: string; label?: string };
  impressions: number;
  clicks: number;
  completedViews: number;
  spendMicros: string;
};

/** Which delivery is wanted: of these orders, from the first day to the last. `reportKey` tells this connection's reports from others'. */
export type DeliveryQuery = { orderExternalIds: string[]; from: string; to: string; reportKey: string };

/** Which inventory's future is wanted, by day of the connection's zone. `target` is in the form of the ad server's productTargetSchema, `key` comes back. */
export type AvailabilityQuery = { items: { key: string; target: Record<string, unknown> }[]; from: string; to: string; reportKey: string };

/** Impressions that an ad server expects on a day, and how many of them nobody has reserved. */
export type AvailabilityDay = { day: string; forecast: number; available: number };

/** The days of one item in their order, or why the ad server cannot say. */
export type Availability = { key: string; days: AvailabilityDay[]; reason?: undefined } | { key: string; days?: undefined; reason: string };

/** Wire half: driver.ts, worker only. */
export type AdServerDriver = {
  kind: string;
  execute(operation: { kind: string; payload: Record<string, unknown>; attempts: number }, call: Call): Promise<OperationResult>;
  observe(desired: DesiredOrder, applied: AppliedOrder, call: Call): Promise<Observation>;
  testConnection(call: Call): Promise<{ networkName: string; currency: string; timeZone: string; notes: { name: string; outcome: "pass" | "warn" | "fail"; message: string }[] }>;
  /** Yields pages; every phase is reported through call.onProgress. */
  syncInventory(call: Call): AsyncIterable<{ phase: string; items: InventoryItem[]; total?: number }>;
  /** Yields pages; a day without a row delivered nothing. */
  readDelivery(query: DeliveryQuery, call: Call): AsyncIterable<{ phase: string; counts: DeliveryCount[]; total?: number }>;
  /** Yields an answer per item, as each is known. */
  readAvailability(query: AvailabilityQuery, call: Call): AsyncIterable<Availability>;
};
