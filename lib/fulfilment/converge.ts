import { type Executing } from "./call";
import { type OperationStep, runOperation } from "./operation-step";
import { planFulfilment, type PlanStep, type Run } from "./plan-step";
import { busyDelayMs } from "./policy";
import { readBack, type ReadBackStep } from "./read-back-step";

/** What the executor offers: steps that are done once, and rests that outlast the process. */
export type Steps = {
  run<T>(name: string, work: () => Promise<T>): Promise<T>;
  sleep(name: string, ms: number): Promise<void>;
  /** Rests until a newer version of the order is announced, at most for this long. */
  park(name: string, ms: number): Promise<void>;
};

/**
 * Brings one connection to what was sold: plan, operations one by one, and plan again; once the plan is empty, read back. Each step is one
 * transaction, or one remote call between two. Where a round ends with a rest the lease is free, so that a newer version (a cancellation
 * above all) never queues behind a wait.
 */
export async function converge(steps: Steps, executing: Executing, run: Run): Promise<{ because: string }> {
  for (let round = 0, busy = 0, looks = 0; ; round += 1) {
    const plan = await steps.run<PlanStep>(`plan ${round}`, () => planFulfilment(executing, run));
    if (plan.next === "stop") return { because: plan.because };
    if (plan.next === "busy") {
      await steps.sleep(`busy ${round}`, plan.delayMs ?? busyDelayMs(busy));
      busy += 1;
      continue;
    }
    const isComplete = plan.operations.length === 0;
    const outcome = isComplete
      ? await steps.run<ReadBackStep>(`read back ${round}`, () => readBack(executing, run, { version: plan.version, looks }))
      : await runOperations(steps, executing, run, plan, round);
    if (outcome.next === "stop") return { because: outcome.because };
    looks = isComplete && outcome.next === "park" ? looks + 1 : 0;
    if (outcome.next === "park") await steps.park(`parked ${round}`, outcome.delayMs);
  }
}

async function runOperations(steps: Steps, executing: Executing, run: Run, plan: Extract<PlanStep, { next: "run" }>, round: number): Promise<Exclude<OperationStep, { next: "continue" }>> {
  const { version, isResolving, operations } = plan;
  for (const { id, key } of operations) {
    const outcome = await steps.run<OperationStep>(`${key} ${round}`, () => runOperation(executing, run, { operationId: id, version, isResolving }));
    if (outcome.next !== "continue") return outcome;
  }
  return { next: "again" };
}
