import { describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { createPublisher } from "@/test/fixtures/publisher";
import { asSystem, order, place, readBuy } from "@/test/fixtures/orders";
import { MEDIA_BUY_STATUSES, type MediaBuyStatus } from "./schema";
import { canMove, isTerminal, nextStatusAfterConfirmation, reviseMediaBuy, settledStatus, type StatusFacts, transitionMediaBuy, TRANSITIONS, validActions } from "./transitions";

useTestDatabase();

const TERMINAL: MediaBuyStatus[] = ["completed", "rejected", "canceled"];
const at = (hours: number) => new Date(Date.UTC(2027, 2, 1, hours));

function* everyFact(): Generator<StatusFacts> {
  for (const now of [at(0), at(2), at(4), at(6), at(8)]) {
    for (const isCreativeComplete of [true, false]) for (const isInSync of [true, false]) yield { now, startsAt: at(2), endsAt: at(6), isCreativeComplete, isInSync };
  }
}

describe("the transition table", () => {
  test("is the protocol's", () => {
    expect(TRANSITIONS.pending_creatives).toEqual(["pending_start", "active", "paused", "canceled", "rejected"]);
    expect(TRANSITIONS.pending_start).toEqual(["active", "paused", "canceled", "rejected"]);
    expect(TRANSITIONS.active).toEqual(["paused", "completed", "canceled"]);
    expect(TRANSITIONS.paused).toEqual(["active", "completed", "canceled"]);
    for (const status of TERMINAL) expect(TRANSITIONS[status]).toEqual([]);
  });

  test("nothing leads back to a pending status, and no terminal status leads anywhere", () => {
    for (const from of MEDIA_BUY_STATUSES) {
      expect(canMove(from, "pending_approval")).toBe(false);
      expect(canMove(from, from)).toBe(false);
      expect(isTerminal(from)).toBe(TERMINAL.includes(from));
      if (from === "active" || from === "paused") for (const to of ["pending_creatives", "pending_start"] as const) expect(canMove(from, to)).toBe(false);
    }
  });

  test("every open status leads to the end", () => {
    for (const start of MEDIA_BUY_STATUSES) {
      const reached = new Set<MediaBuyStatus>([start]);
      for (const status of reached) for (const next of TRANSITIONS[status]) reached.add(next);
      expect(TERMINAL.some((status) => reached.has(status))).toBe(true);
    }
  });

  test("valid actions are those that the table allows", () => {
    for (const status of MEDIA_BUY_STATUSES) {
      const actions = validActions(status);
      if (isTerminal(status) || status === "pending_approval") expect(actions).toEqual([]);
      else {
        expect(actions.includes("pause")).toBe(canMove(status, "paused"));
        expect(actions.includes("resume")).toBe(status === "paused");
        expect(actions.includes("cancel")).toBe(canMove(status, "canceled"));
      }
    }
  });
});

describe("where time, creatives and ad servers bring an order", () => {
  test("always along the table, and a second look moves nothing that the first did not", () => {
    for (const status of MEDIA_BUY_STATUSES) for (const facts of everyFact()) {
      const to = settledStatus(status, facts);
      if (to === null) continue;
      expect(canMove(status, to)).toBe(true);
      const again = settledStatus(to, facts);
      // Only an order that becomes active after its end goes on at once.
      expect(again === null || (to === "active" && facts.now >= facts.endsAt) || (to === "pending_start" && again === "active")).toBe(true);
    }
  });

  test("active needs a begun flight, complete creatives and an ad server in sync", () => {
    for (const status of ["pending_creatives", "pending_start"] as const) for (const facts of everyFact()) {
      if (settledStatus(status, facts) !== "active") continue;
      expect(facts.now >= facts.startsAt && facts.isInSync && (status === "pending_start" || facts.isCreativeComplete)).toBe(true);
    }
    expect(settledStatus("pending_start", { now: at(2), startsAt: at(2), endsAt: at(6), isCreativeComplete: false, isInSync: true })).toBe("active");
  });

  test("paused stays paused until the end", () => {
    for (const facts of everyFact()) expect(settledStatus("paused", facts)).toBe(facts.now >= facts.endsAt ? "completed" : null);
  });

  test("what could not begin is canceled, not completed", () => {
    expect(settledStatus("pending_creatives", { now: at(6), startsAt: at(2), endsAt: at(6), isCreativeComplete: false, isInSync: true })).toBe("canceled");
    expect(settledStatus("pending_start", { now: at(6), startsAt: at(2), endsAt: at(6), isCreativeComplete: true, isInSync: false })).toBe("canceled");
  });

  test("an order begins waiting for creatives when one package has none", () => {
    expect(nextStatusAfterConfirmation([{ hasCreatives: true }, { hasCreatives: false }])).toBe("pending_creatives");
    expect(nextStatusAfterConfirmation([{ hasCreatives: true }])).toBe("pending_start");
  });
});

describe("the writer of the status", () => {
  test("a status that is not the expected one is CONFLICT, and nothing changes", async () => {
    const publisher = await createPublisher();
    const { mediaBuyId } = await place(publisher, order());
    await expect(asSystem(publisher, (ctx) => transitionMediaBuy(ctx, { mediaBuyId, from: ["active"], to: "completed" }))).rejects.toMatchObject({ code: "CONFLICT" });
    expect((await readBuy(publisher, mediaBuyId)).buy).toMatchObject({ status: "pending_creatives", revision: 1 });
  });

  test("a move that the table does not know is refused before the database is asked", async () => {
    const publisher = await createPublisher();
    const { mediaBuyId } = await place(publisher, order());
    await expect(asSystem(publisher, (ctx) => transitionMediaBuy(ctx, { mediaBuyId, from: ["pending_creatives"], to: "completed" }))).rejects.toThrow("no transition");
  });

  test("each move and each other change raises the revision by one", async () => {
    const publisher = await createPublisher();
    const { mediaBuyId } = await place(publisher, order());
    await asSystem(publisher, (ctx) => transitionMediaBuy(ctx, { mediaBuyId, from: ["pending_creatives"], to: "paused" }));
    await asSystem(publisher, (ctx) => reviseMediaBuy(ctx, mediaBuyId, { poNumber: "PO-1" }));
    expect((await readBuy(publisher, mediaBuyId)).buy).toMatchObject({ status: "paused", revision: 3, poNumber: "PO-1" });
  });
});
