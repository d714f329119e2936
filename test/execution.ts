import { and, eq } from "drizzle-orm";
import { afterEach, beforeEach } from "vitest";
import { workflowSteps } from "@/lib/approvals/schema";
import { type Tx, withTenant } from "@/lib/db/client";
import { resolveBlocked } from "@/lib/fulfilment/blocked";
import { type Executing } from "@/lib/fulfilment/call";
import { fulfilmentOperations, fulfilments } from "@/lib/fulfilment/schema";
import { newId } from "@/lib/ids";
import { mediaBuys, type MediaBuyStatus } from "@/lib/media-buys/schema";
import { useTestDatabase } from "./db";
import { DurableRun, Killer, makeExecuting, World } from "./durable";
import { FakeAdServer, type Fault } from "./fake-ad-server";
import { changeOrder, type OrderFixture } from "./fixtures/order";
import { createPublisher, type PublisherFixture } from "./fixtures/publisher";
import { asStaff } from "./staff";

type Rest = (name: string, ms: number) => Promise<void>;

/** A publisher, a fake ad server and virtual time, fresh for each test, and what the tests of execution ask of them. */
export class Execution {
  server: FakeAdServer;
  executing: Executing;
  private fault: { kind: string; fault: Fault } = { kind: "", fault: undefined };

  constructor(readonly publisher: PublisherFixture, readonly world: World) {
    this.server = new FakeAdServer(undefined, (kind) => (kind === this.fault.kind ? this.fault.fault : undefined));
    this.executing = makeExecuting(world, this.server);
  }

  use(server: FakeAdServer): void {
    this.server = server;
    this.executing = makeExecuting(this.world, server);
  }

  /** From now on operations of this kind go wrong. */
  fail(kind: string, fault: Fault): void {
    this.fault = { kind, fault };
  }

  heal(): void {
    this.fault = { kind: "", fault: undefined };
  }

  newRun(order: OrderFixture): DurableRun {
    return new DurableRun(this.world, { tenantId: order.tenantId, fulfilmentId: order.fulfilmentId, runId: newId() });
  }

  async execute(order: OrderFixture, onRest?: Rest) {
    const run = this.newRun(order);
    return { run, outcome: await run.proceed(this.executing, new Killer(), onRest) };
  }

  read<T>(order: { tenantId: string }, work: (tx: Tx) => Promise<T>): Promise<T> {
    return withTenant(order.tenantId, work);
  }

  async fulfilmentOf(order: OrderFixture): Promise<typeof fulfilments.$inferSelect> {
    const [row] = await this.read(order, (tx) => tx.select().from(fulfilments).where(and(eq(fulfilments.tenantId, order.tenantId), eq(fulfilments.id, order.fulfilmentId))));
    if (!row) throw new Error("no fulfilment");
    return row;
  }

  operationsOf(order: OrderFixture) {
    return this.read(order, (tx) => tx.select().from(fulfilmentOperations).where(and(eq(fulfilmentOperations.tenantId, order.tenantId), eq(fulfilmentOperations.fulfilmentId, order.fulfilmentId))));
  }

  stepsOf(order: OrderFixture) {
    return this.read(order, (tx) => tx.select().from(workflowSteps).where(and(eq(workflowSteps.tenantId, order.tenantId), eq(workflowSteps.fulfilmentId, order.fulfilmentId))));
  }

  async openStep(order: OrderFixture): Promise<typeof workflowSteps.$inferSelect> {
    const [step] = (await this.stepsOf(order)).filter(({ state }) => state === "pending");
    if (!step) throw new Error("no open step");
    return step;
  }

  async choose(order: OrderFixture, choiceId: string, note?: string): Promise<void> {
    const step = await this.openStep(order);
    await asStaff(order.tenantId, "trafficker", (ctx) => resolveBlocked(ctx, { stepId: step.id, choiceId, note }));
  }

  async buyOf(order: OrderFixture) {
    const [buy] = await this.read(order, (tx) => tx.select().from(mediaBuys).where(and(eq(mediaBuys.tenantId, order.tenantId), eq(mediaBuys.id, order.mediaBuyId))));
    return buy;
  }

  setStatus(order: OrderFixture, status: MediaBuyStatus): Promise<number> {
    return changeOrder(order, (ctx) => ctx.db.update(mediaBuys).set({ status }).where(and(eq(mediaBuys.tenantId, ctx.tenantId), eq(mediaBuys.id, order.mediaBuyId))));
  }
}

export function useExecution(): () => Execution {
  const database = useTestDatabase();
  let current: Execution | undefined;
  beforeEach(async () => {
    const publisher = await createPublisher({ credentials: "{}", ratePerSecond: 100_000, isAdvertiserCreationAllowed: false });
    current = new Execution(publisher, new World(database));
  });
  afterEach(() => current?.world.close());
  return () => {
    if (!current) throw new Error("Asked for outside a test.");
    return current;
  };
}
