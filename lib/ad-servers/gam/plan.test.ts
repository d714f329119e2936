import { describe, expect, test } from "vitest";
import { inDays, makeCreative, makeLine, makeOrder, mergeApplied } from "@/test/gam";
import { type AppliedObject, type AppliedOrder, type DesiredOrder, type Operation, type Plan } from "../types";
import { OPERATIONS } from "./operations";
import { plan } from "./plan";
import { readApplied } from "./snapshots";

const now = new Date();
const empty: AppliedOrder = { objects: [] };

function operationsOf(result: Plan): Operation[] {
  if (result.outcome === "blocked") throw new Error(`Blocked: ${result.code}: ${result.reason}`);
  return result.operations;
}

function keysOf(result: Plan): string[] {
  return operationsOf(result).map(({ key }) => key);
}

let lastId = 0;
const nextId = () => String(++lastId);

/** An ad server that does everything that it is asked: what `execute` would answer. */
function pretend(applied: AppliedOrder, operations: Operation[]): AppliedOrder {
  return operations.reduce((state, operation) => mergeApplied(state, pretendOne(state, operation)), applied);
}

function pretendOne(applied: AppliedOrder, { kind, payload }: Operation): AppliedObject[] {
  const known = readApplied(applied);
  const lineItemId = (packageId: string) => known.lineItems.get(packageId)?.externalId ?? "";
  switch (kind) {
    case "create-order":
    case "approve-order":
    case "update-order":
    case "archive-order": {
      const { ourKey, snapshot } = OPERATIONS[kind].parse(payload);
      return [{ kind: "order", ourKey, externalId: known.order?.externalId ?? nextId(), applied: { ...snapshot } }];
    }
    case "create-line-items":
      return OPERATIONS[kind].parse(payload).items.map(({ ref, fields, startsAt }) => ({
        kind: "line_item", ourKey: ref.packageId, externalId: nextId(), applied: { fields, startsAt, startTime: startsAt, isPaused: false, isArchived: false },
      }));
    case "update-line-items":
    case "pause-line-items":
    case "resume-line-items":
    case "archive-line-items":
      return OPERATIONS[kind].parse(payload).items.map(({ ref, snapshot }) => ({ kind: "line_item", ourKey: ref.packageId, externalId: lineItemId(ref.packageId), applied: { ...snapshot } }));
    case "create-creatives": {
      const { advertiser, items } = OPERATIONS[kind].parse(payload);
      return items.map(({ ourKey, fields }) => ({ kind: "creative", ourKey, externalId: nextId(), applied: { advertiserId: advertiser.id, fields } }));
    }
    case "update-creatives":
      return OPERATIONS[kind].parse(payload).items.map(({ ourKey, externalId, snapshot }) => ({ kind: "creative", ourKey, externalId, applied: { ...snapshot } }));
    case "associate-creatives": {
      const all = [...known.creatives.entries()];
      return OPERATIONS[kind].parse(payload).items.map(({ ourKey, ref, creative, weight }) => {
        const creativeId = creative.externalId ?? all.find(([key]) => key.endsWith(ourKey.split(":")[1] ?? ""))?.[1].externalId ?? "";
        return { kind: "association", ourKey, externalId: `${lineItemId(ref.packageId)}/${creativeId}`, applied: { lineItemId: lineItemId(ref.packageId), creativeId, weight, isActive: true } };
      });
    }
    case "deactivate-associations":
      return OPERATIONS[kind].parse(payload).items.map(({ ourKey, externalId, snapshot }) => ({ kind: "association", ourKey, externalId, applied: { ...snapshot } }));
    default:
      throw new Error(`Unexpected ${kind}`);
  }
}

/** The applied state after everything was written once. */
function settle(desired: DesiredOrder, applied = empty): AppliedOrder {
  return pretend(applied, operationsOf(plan(desired, applied, now)));
}

describe("a new order", () => {
  test("is created, gets its line items and creatives, and is approved, in this order", () => {
    const result = plan(makeOrder({ lines: [makeLine(), makeLine()] }), empty, now);
    expect(keysOf(result)).toEqual(["create-order", "create-line-items:0", "create-creatives:0", "associate-creatives:0", "approve-order:0"]);
  });

  test("says in words what will be written", () => {
    const desired = makeOrder({ timeZone: "UTC", lines: [makeLine({ startsAt: "2026-12-01T00:00:00Z", endsAt: "2026-12-31T23:59:59Z" })] });
    const operations = operationsOf(plan(desired, empty, new Date("2026-11-23T12:00:00Z")));
    expect(operations[0]?.details).toEqual([`Order “${desired.name}”, purchase order PO-77, starting 1 Dec 2026, 00:00 UTC`]);
    expect(operations[1]).toMatchObject({
      summary: "Create 1 line item",
      details: ["Line item “Homepage display”: 100,000 impressions at $12.50 CPM, 1 Dec 2026 – 31 Dec 2026, standard priority 8, 300x250, targets Homepage Top"],
    });
    expect(operations.map(({ summary }) => summary)).toEqual(["Create the order", "Create 1 line item", "Upload 1 creative", "Assign 1 creative", "Approve 1 line item"]);
  });

  test("without an advertiser waits for a person", () => {
    const result = plan(makeOrder({ advertiserExternalId: null }), empty, now);
    expect(result).toMatchObject({ outcome: "blocked", code: "choose_advertiser", choices: [{ id: "retry" }, { id: "give_up" }] });
  });

  test("creates its advertiser first where the publisher allows that", () => {
    const result = plan(makeOrder({ advertiserExternalId: null, advertiserToCreate: "Acme" }), empty, now);
    expect(keysOf(result).slice(0, 2)).toEqual(["create-advertiser", "create-order"]);
  });

  test("of 120 packages goes in groups of at most 50, each approved before the next", () => {
    const result = plan(makeOrder({ lines: Array.from({ length: 120 }, () => makeLine()) }), empty, now);
    expect(keysOf(result)).toEqual([
      "create-order",
      ...[0, 1, 2].flatMap((group) => [`create-line-items:${group}`, `create-creatives:${group}`, `associate-creatives:${group}`, `approve-order:${group}`]),
    ]);
    const sizes = operationsOf(result).filter(({ kind }) => kind === "create-line-items").map(({ payload }) => OPERATIONS["create-line-items"].parse(payload).items.length);
    expect(sizes).toEqual([50, 50, 20]);
  });

  test("splits many creatives of one package into batches of 50, and uploads a shared creative once", () => {
    const shared = makeCreative();
    const many = Array.from({ length: 119 }, () => makeCreative());
    const operations = operationsOf(plan(makeOrder({ lines: [makeLine({ creatives: [shared, ...many] }), makeLine({ creatives: [shared] })] }), empty, now));
    const count = (kind: "create-creatives" | "associate-creatives") => operations.filter((operation) => operation.kind === kind).map(({ payload }) => OPERATIONS[kind].parse(payload).items.length);
    expect(count("create-creatives")).toEqual([50, 50, 20]);
    expect(count("associate-creatives")).toEqual([50, 50, 21]);
  });

  test("of more than 450 packages is blocked", () => {
    expect(plan(makeOrder({ lines: Array.from({ length: 451 }, () => makeLine()) }), empty, now)).toMatchObject({ outcome: "blocked", code: "too_many_line_items" });
  });

  test("whose flight is over is blocked", () => {
    expect(plan(makeOrder({ lines: [makeLine({ startsAt: inDays(-3), endsAt: inDays(-1) })] }), empty, now)).toMatchObject({ outcome: "blocked", code: "flight_ended" });
  });

  test("with a package that cannot be expressed is blocked before anything is written", () => {
    const lines = [makeLine(), makeLine({ targeting: { geo_metros: [{ system: "nielsen_dma", values: ["501"] }] } })];
    const result = plan(makeOrder({ lines }), empty, now);
    expect(result).toMatchObject({ outcome: "blocked", code: "targeting_not_supported", reason: expect.stringContaining("geo metros") });
  });

  test("with a creative that cannot be served books the rest, then says why it goes no further", () => {
    const lines = [makeLine({ creatives: [makeCreative(), makeCreative({ width: 728, height: 90, name: "Leaderboard" })] })];
    const desired = makeOrder({ lines });
    const result = plan(desired, empty, now);
    expect(keysOf(result)).toContain("associate-creatives:0");
    expect(plan(desired, pretend(empty, operationsOf(result)), now)).toMatchObject({ outcome: "blocked", code: "creative_size", reason: expect.stringContaining("728x90") });
  });

  test("is paused once it is approved when it was bought paused", () => {
    expect(keysOf(plan(makeOrder({ isPaused: true }), empty, now)).slice(-2)).toEqual(["approve-order:0", "pause-line-items:0"]);
  });

  test("carries overbooking only when the publisher decided so", () => {
    const flags = (changes: Partial<DesiredOrder>) => operationsOf(plan(makeOrder(changes), empty, now)).filter(({ kind }) => kind === "create-line-items" || kind === "approve-order").map(({ payload }) => payload.flags);
    expect(flags({})).toEqual([{ allowOverbook: false, skipInventoryCheck: false }, { allowOverbook: false, skipInventoryCheck: false }]);
    expect(flags({ isOverbookingAllowed: true })).toEqual([{ allowOverbook: true, skipInventoryCheck: false }, { allowOverbook: true, skipInventoryCheck: false }]);
    expect(flags({ isInventoryCheckSkipped: true })).toEqual([{ allowOverbook: false, skipInventoryCheck: true }, { allowOverbook: false, skipInventoryCheck: true }]);
  });
});

describe("a second plan", () => {
  test("on unchanged state is empty", () => {
    const desired = makeOrder({ lines: Array.from({ length: 60 }, () => makeLine({ creatives: [makeCreative(), makeCreative()] })) });
    expect(plan(desired, settle(desired), now)).toEqual({ outcome: "operations", operations: [] });
  });

  test("is empty after any series of changes, and each change leads only to what it needs", () => {
    const random = seeded(20_261_123);
    for (let run = 0; run < 40; run += 1) {
      let desired = makeOrder({ lines: Array.from({ length: 1 + Math.floor(random() * 4) }, () => makeLine({ creatives: [makeCreative(), makeCreative()] })) });
      let applied = settle(desired);
      for (let step = 0; step < 8; step += 1) {
        desired = change(desired, random);
        applied = settle(desired, applied);
        expect(plan(desired, applied, now)).toEqual({ outcome: "operations", operations: [] });
      }
    }
  });

  test("does not depend on the moment while nothing changes", () => {
    const desired = makeOrder();
    const applied = settle(desired);
    for (const days of [0, 2, 20, 40]) expect(keysOf(plan(desired, applied, new Date(now.getTime() + days * 86_400_000)))).toEqual([]);
  });
});

describe("a change", () => {
  const line = makeLine({ creatives: [makeCreative(), makeCreative()] });
  const other = makeLine();
  const desired = makeOrder({ lines: [line, other] });
  const applied = settle(desired);
  const after = (changes: Partial<DesiredOrder>) => operationsOf(plan({ ...desired, version: 2, ...changes }, applied, now));

  test("of a budget updates units alone, of this line item alone", () => {
    const [operation, ...more] = after({ lines: [{ ...line, units: "80000", budgetMicros: "1000000000" }, other] });
    expect(more).toEqual([]);
    expect(operation).toMatchObject({ kind: "update-line-items", summary: "Update 1 line item", details: ["Line item “Homepage display”: goal 100,000 impressions → 80,000 impressions"] });
    const { items } = OPERATIONS["update-line-items"].parse(operation?.payload);
    expect(items.map(({ mask, ref }) => ({ mask, packageId: ref.packageId }))).toEqual([{ mask: ["goal.units"], packageId: line.packageId }]);
  });

  test.each([
    ["rate", { rateMicros: "15250000" }, ["rate"], "rate $12.50 → $15.25"],
    ["end", { endsAt: inDays(40) }, ["targetEndTime"], "end "],
    ["pacing", { pacing: "asap" as const }, ["deliveryRateType"], "pacing as fast as possible"],
    ["name", { name: "Other name" }, ["displayName"], "name “Other name”"],
    ["targeting", { targeting: { geo_countries: ["US"] } }, ["targeting"], "targeting"],
    ["frequency cap", { targeting: { frequency_cap: { suppress: { interval: 60, unit: "minutes" } } } }, ["frequencyCaps"], "frequency caps"],
    ["start ahead of the flight", { startsAt: inDays(3) }, [], "start "],
    ["formats", { placeholders: [...line.placeholders, { width: 728, height: 90, kind: "display" as const }] }, ["creativePlaceholders"], "sizes 300x250, 728x90"],
  ])("of the %s changes only that", (_name, changes, mask, words) => {
    const [operation, ...more] = after({ lines: [{ ...line, ...changes }, other] });
    expect(more).toEqual([]);
    const { items } = OPERATIONS["update-line-items"].parse(operation?.payload);
    expect(items.map((item) => item.mask)).toEqual([mask]);
    expect(operation?.details[0]).toContain(words);
  });

  test("of the order's name and purchase order updates the order", () => {
    const [operation, ...more] = after({ name: `Summer ${desired.suffix}`, poNumber: null });
    expect(more).toEqual([]);
    expect(operation).toMatchObject({ key: "update-order", payload: { changed: ["displayName", "poNumber"] } });
  });

  test("to paused pauses every line item; of one package only its own; and back", () => {
    expect(after({ isPaused: true })).toMatchObject([{ kind: "pause-line-items", details: [expect.any(String), expect.any(String)] }]);
    const single = { ...desired, lines: [{ ...line, isPaused: true }, other] };
    const paused = settle(single, applied);
    expect(operationsOf(plan(single, applied, now))).toMatchObject([{ key: "pause-line-items:0", payload: { items: [{ ref: { packageId: line.packageId } }] } }]);
    expect(operationsOf(plan(desired, paused, now))).toMatchObject([{ key: "resume-line-items:0", payload: { items: [{ ref: { packageId: line.packageId } }] } }]);
  });

  test("to a held package pauses its line item, whatever its buyer says, and resumes it", () => {
    const held = { ...desired, lines: [{ ...line, isHeld: true }, other] };
    expect(operationsOf(plan(held, applied, now))).toMatchObject([{ key: "pause-line-items:0", payload: { items: [{ ref: { packageId: line.packageId } }] } }]);
    expect(operationsOf(plan(desired, settle(held, applied), now))).toMatchObject([{ key: "resume-line-items:0" }]);
  });

  test("to a canceled package pauses and archives its line item", () => {
    expect(after({ lines: [{ ...line, isCanceled: true }, other] }).map(({ key }) => key)).toEqual(["pause-line-items:0", "archive-line-items:0"]);
  });

  test("to canceled or rejected stops everything and archives the order", () => {
    expect(after({ isEnded: true }).map(({ key }) => key)).toEqual(["pause-line-items:0", "archive-line-items:0", "archive-order"]);
  });

  test("to completed leaves what ended by itself alone", () => {
    expect(operationsOf(plan({ ...desired, isEnded: true }, applied, new Date(now.getTime() + 40 * 86_400_000)))).toEqual([]);
  });

  test("to ended before anything was written needs nothing", () => {
    expect(plan({ ...desired, isEnded: true, advertiserExternalId: null }, empty, now)).toEqual({ outcome: "operations", operations: [] });
  });

  test("of a creative's content updates it in place", () => {
    const [first, second] = line.creatives;
    if (!first || !second) throw new Error("The line has two creatives");
    const changed = { ...first, version: 2, source: { type: "image_url" as const, url: "https://cdn.example/new.png" } };
    expect(after({ lines: [{ ...line, creatives: [changed, second] }, other] }).map(({ key }) => key)).toEqual(["update-creatives:0"]);
  });

  test("of a creative's kind, which cannot change, uploads it anew and lets it take over", () => {
    const [first, second] = line.creatives;
    if (!first || !second) throw new Error("The line has two creatives");
    const changed = { ...first, version: 2, source: { type: "html" as const, html: "<b>Spring</b>" } };
    const operations = after({ lines: [{ ...line, creatives: [changed, second] }, other] });
    expect(operations.map(({ key }) => key)).toEqual(["create-creatives:0", "associate-creatives:0"]);
    const current = readApplied(applied).associations.get(`${line.packageId}:${first.creativeId}`)?.externalId;
    expect(OPERATIONS["associate-creatives"].parse(operations[1]?.payload).items).toMatchObject([{ replaces: current }]);
  });

  test("of an assignment takes the old creative off after the new one is on", () => {
    const [first] = line.creatives;
    if (!first) throw new Error("The line has two creatives");
    expect(after({ lines: [{ ...line, creatives: [first, makeCreative()] }, other] }).map(({ key }) => key)).toEqual(["create-creatives:0", "associate-creatives:0", "deactivate-associations:0"]);
  });

  test("of a weight changes the association, and the rotation with it", () => {
    const [first, second] = line.creatives;
    if (!first || !second) throw new Error("The line has two creatives");
    const operations = after({ lines: [{ ...line, creatives: [{ ...first, weight: 70 }, second] }, other] });
    expect(operations.map(({ key }) => key)).toEqual(["associate-creatives:0", "update-line-items:0"]);
    expect(operations[1]?.details[0]).toContain("creative rotation weighted");
  });

  test("that adds a package books it without holding up a pause of the others", () => {
    const operations = after({ lines: [{ ...line, isPaused: true }, other, makeLine()] });
    expect(operations.map(({ key }) => key)).toEqual(["pause-line-items:0", "create-line-items:0", "create-creatives:0", "associate-creatives:0", "approve-order:0"]);
  });

  test("leaves the start of a flight that has begun", () => {
    const later = new Date(now.getTime() + 5 * 86_400_000);
    expect(operationsOf(plan({ ...desired, lines: [{ ...line, startsAt: inDays(3) }, other] }, applied, later))).toEqual([]);
  });

  test("that shortens a flight into the past pauses it", () => {
    const later = new Date(now.getTime() + 10 * 86_400_000);
    expect(keysOf(plan({ ...desired, lines: [{ ...line, endsAt: inDays(9) }, other] }, applied, later))).toEqual(["pause-line-items:0"]);
  });

  test("of the account's advertiser leaves an order with the one it has", () => {
    expect(after({ advertiserExternalId: "999" })).toEqual([]);
  });
});

describe("a package that is held from the beginning", () => {
  const held = makeOrder({ lines: [makeLine({ isHeld: true }), makeLine()] });

  test("is not made, however late it gets, and is made once it may run", () => {
    expect(operationsOf(plan(held, empty, now)).filter(({ kind }) => kind === "create-line-items").map(({ payload }) => OPERATIONS["create-line-items"].parse(payload).items.map(({ ref }) => ref.packageId))).toEqual([[held.lines[1]?.packageId]]);
    const applied = settle(held);
    expect(keysOf(plan(held, applied, now))).toEqual([]);
    expect(plan(held, applied, new Date(now.getTime() + 60 * 86_400_000))).toEqual({ outcome: "operations", operations: [] });
    const free = { ...held, lines: held.lines.map((line) => ({ ...line, isHeld: false })) };
    expect(keysOf(plan(free, applied, now))).toEqual(["create-line-items:0", "create-creatives:0", "associate-creatives:0", "approve-order:0"]);
  });

  test("makes no order as long as there is nothing else in it, and ends as if it had never been", () => {
    const alone = makeOrder({ lines: [makeLine({ isHeld: true })] });
    expect(plan(alone, empty, now)).toEqual({ outcome: "operations", operations: [] });
    expect(plan({ ...alone, isEnded: true }, empty, now)).toEqual({ outcome: "operations", operations: [] });
  });

  test("is not approved when it was held between its making and its approval", () => {
    const free = makeOrder();
    const made = pretend(empty, operationsOf(plan(free, empty, now)).filter(({ kind }) => kind !== "approve-order"));
    expect(keysOf(plan({ ...free, lines: free.lines.map((line) => ({ ...line, isHeld: true })) }, made, now))).toEqual([]);
  });

  test("is paused at once when the others' approval approves it too", () => {
    const [first, second] = [makeLine(), makeLine()];
    const free = makeOrder({ lines: [first, second] });
    const made = pretend(empty, operationsOf(plan(free, empty, now)).filter(({ kind }) => kind !== "approve-order"));
    const mixed = { ...free, lines: [{ ...first, isHeld: true }, second] };
    const operations = operationsOf(plan(mixed, made, now));
    expect(keysOf(plan(mixed, made, now))).toEqual(["approve-order:0", "pause-line-items:0"]);
    expect(OPERATIONS["approve-order"].parse(operations[0]?.payload).lineItems.map(({ packageId }) => packageId)).toEqual([second.packageId]);
    expect(OPERATIONS["pause-line-items"].parse(operations[1]?.payload).items.map(({ ref }) => ref.packageId)).toEqual([first.packageId]);
    const applied = pretend(made, operations);
    expect(keysOf(plan(mixed, applied, now))).toEqual([]);
    expect(keysOf(plan(free, applied, now))).toEqual(["resume-line-items:0"]);
  });
});

test("approval that did not come through is asked for again, and nothing else", () => {
  const desired = makeOrder();
  const operations = operationsOf(plan(desired, empty, now));
  const applied = pretend(empty, operations.filter(({ kind }) => kind !== "approve-order"));
  expect(keysOf(plan(desired, applied, now))).toEqual(["approve-order:0"]);
});

test("emptied snapshots make the plan write our values again", () => {
  const desired = makeOrder();
  const applied = settle(desired);
  const forgotten = { objects: applied.objects.map((object) => ({ ...object, applied: {} })) };
  const keys = keysOf(plan(desired, forgotten, now));
  expect(keys).toEqual(["update-creatives:0", "update-order", "update-line-items:0", "associate-creatives:0", "approve-order:0", "resume-line-items:0"]);
  expect(keysOf(plan(desired, pretend(forgotten, operationsOf(plan(desired, forgotten, now))), now))).toEqual([]);
});

test("plans are the same for the same input", () => {
  const desired = makeOrder({ lines: [makeLine(), makeLine()] });
  expect(plan(desired, empty, now)).toEqual(plan(structuredClone(desired), structuredClone(empty), now));
});

/** One random thing that a buyer or the staff can do. */
function change(desired: DesiredOrder, random: () => number): DesiredOrder {
  const index = Math.floor(random() * desired.lines.length);
  const edit = (edits: Partial<DesiredOrder["lines"][number]>) => ({ ...desired, version: desired.version + 1, lines: desired.lines.map((line, at) => (at === index ? { ...line, ...edits } : line)) });
  const line = desired.lines[index];
  if (!line) return desired;
  switch (Math.floor(random() * 12)) {
    case 0: return edit({ units: String(1_000 + Math.floor(random() * 100_000)) });
    case 1: return edit({ rateMicros: String(1_000_000 + Math.floor(random() * 9_000_000)) });
    case 2: return edit({ endsAt: inDays(10 + Math.floor(random() * 60)) });
    case 3: return random() < 0.5 ? edit({ isPaused: !line.isPaused }) : edit({ isHeld: !line.isHeld });
    case 4: return { ...desired, isPaused: !desired.isPaused };
    case 5: return edit({ creatives: line.creatives.slice(1) });
    case 6: return edit({ creatives: [...line.creatives, makeCreative()] });
    case 7: return edit({ creatives: line.creatives.map((creative) => ({ ...creative, source: { type: "html" as const, html: `<i>${random()}</i>` } })) });
    case 8: return edit({ creatives: line.creatives.map((creative) => ({ ...creative, weight: Math.floor(random() * 100) })) });
    case 9: return edit({ targeting: { geo_countries: random() < 0.5 ? ["US", "GB"] : ["DE"] } });
    case 10: return { ...desired, lines: [...desired.lines, makeLine()] };
    default: return random() < 0.3 ? edit({ isCanceled: true }) : { ...desired, poNumber: `PO-${Math.floor(random() * 1000)}` };
  }
}

/** mulberry32: the same series on every machine. */
function seeded(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
