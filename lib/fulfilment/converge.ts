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
 * Brings one connection to what was sold: plan, operations one by one, read back; in rounds, until nothing is left to do or a person
 * must decide. Each step is one transaction, or one remote call between two. Between rounds the lease is free, so that a newer version
 * (a cancellation above all) never queues behind a wait.
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
    const outcome = await runPlan(steps, executing, run, plan, round, looks);
    if (outcome.next === "stop") return { because: outcome.because };
    looks = outcome.hasLooked && outcome.next === "park" ? looks + 1 : 0;
    if (outcome.next === "park") await steps.park(`parked ${round}`, outcome.delayMs);
  }
}

type Outcome = Exclude<OperationStep, { next: "continue" }> | ReadBackStep;

async function runPlan(steps: Steps, executing: Executing, run: Run, plan: Extract<PlanStep, { next: "run" }>, round: number, looks: number): Promise<Outcome & { hasLooked: boolean }> {
  const { version, isResolving } = plan;
  for (const { id, key } of plan.operations) {
    const outcome = await steps.run<OperationStep>(`${key} ${round}`, () => runOperation(executing, run, { operationId: id, version, isResolving }));
    if (outcome.next !== "continue") return { ...outcome, hasLooked: false };
  }
  if (isResolving) return { next: "again", hasLooked: false };
  const seen = await steps.run<ReadBackStep>(`read back ${round}`, () => readBack(executing, run, { version, looks }));
  return { ...seen, hasLooked: true };
}
