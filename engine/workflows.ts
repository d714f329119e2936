import { DBOS, type DLogger } from "@dbos-inc/dbos-sdk";
import { type EngineLog } from "./log";
import { workflowSchema } from "./migrate";
import { type Run, type RunEnd, type Runtime } from "./runtime";
import { DISCOVERY, type Memo, type Op, type StepState, type Turn } from "./wire";

/**
 * Runs as DBOS workflows: DBOS stores what every durable step came to, and after a crash runs the workflow again with
 * the stored results. So this code is deterministic: no clock, no randomness, no I/O outside `DBOS.runStep`, and steps
 * begin in the same order every time. Whoever changes that order gives the workflows new names and keeps these for the
 * runs that are under way.
 */

const APPLICATION_NAME = "executor";
/** Pinned: DBOS takes up only the runs of its own version, and would otherwise make a new one from every change of the source. */
const APPLICATION_VERSION = "1";
/** Fixed: whoever holds the lock takes up the runs of whoever held it before. */
const EXECUTOR_ID = "executor";
/** A run that is parked for a day sees many restarts; none of them is its fault. */
const MAX_RECOVERY_ATTEMPTS = 1_000_000;
const FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"] as const;
const PURGE_BATCH = 500;

type Branch = { run: Run; memo: Memo; stepId: string };
type BranchEnd = { kind: "settled"; state: StepState } | Exclude<RunEnd, { kind: "completed" }>;

/** DBOS is one to a process, and so is the runtime behind its workflows. */
let runtime: Runtime | undefined;
let isShuttingDown = false;

function current(): Runtime {
  if (!runtime) throw new Error("The executor is not running");
  return runtime;
}

const runWorkflow = DBOS.registerWorkflow(
  async (run: Run): Promise<RunEnd> => {
    current().enter(run);
    try {
      const end = await advance(run);
      await DBOS.runStep(() => current().finish(run, end), { name: "finish" });
      return end;
    } finally {
      current().leave(run);
    }
  },
  { name: "run.v1", maxRecoveryAttempts: MAX_RECOVERY_ATTEMPTS },
);

/** One step of a parallel group: its attempts are counted apart from those of its siblings. */
const branchWorkflow = DBOS.registerWorkflow(
  async ({ run, memo, stepId }: Branch): Promise<BranchEnd> => {
    const turn = await callWithRetries(run, memo, stepId, true);
    if (turn.kind === "failed" || turn.kind === "cancelled") return turn;
    const op = turn.kind === "ops" ? turn.ops[0] : undefined;
    if (op?.kind !== "settled") return { kind: "failed", error: { name: "EngineError", message: "A parallel step did not answer with its result" } };
    return { kind: "settled", state: op.state };
  },
  { name: "branch.v1", maxRecoveryAttempts: MAX_RECOVERY_ATTEMPTS },
);

async function advance(run: Run): Promise<RunEnd> {
  let memo: Memo = { version: -1, steps: {}, stack: [] };
  for (;;) {
    const turn = await callWithRetries(run, memo, DISCOVERY, false);
    if (turn.kind === "finished") return { kind: "completed", output: turn.output };
    if (turn.kind !== "ops") return turn;
    // The SDK reports what comes next only when the whole group is settled.
    const ends = await settleGroup(run, { ...memo, version: turn.version }, turn);
    const failure = ends.find((end) => end.kind === "failed") ?? ends.find((end) => end.kind === "cancelled");
    if (failure) return failure;
    const steps = { ...memo.steps };
    for (const [index, op] of turn.ops.entries()) {
      const end = ends[index];
      if (end?.kind === "settled") steps[op.id] = end.state;
    }
    memo = { version: turn.version, steps, stack: [...memo.stack, ...turn.ops.map((op) => op.id)] };
  }
}

async function settleGroup(run: Run, memo: Memo, turn: Extract<Turn, { kind: "ops" }>): Promise<BranchEnd[]> {
  // Every durable step of the group takes its place in the workflow's order before the first await.
  return Promise.all(
    turn.ops.map(async (op) => {
      const end = await settle(run, memo, op, turn.startedMs);
      // The run is over: whatever else it waits for must not keep it.
      if (end.kind === "failed") current().cancel(run.id);
      return end;
    }),
  );
}

async function settle(run: Run, memo: Memo, op: Op, sinceMs: number): Promise<BranchEnd> {
  switch (op.kind) {
    case "settled":
      return op;
    case "planned":
      return branchWorkflow({ run, memo, stepId: op.id });
    case "sleep": {
      const isDue = await DBOS.runStep(() => current().sleep(run, op.dueMs), { name: "sleep" });
      return isDue ? { kind: "settled", state: null } : { kind: "cancelled" };
    }
    case "wait": {
      const settled = await DBOS.runStep(() => current().waitForEvent(run, op, sinceMs), { name: "wait" });
      return "state" in settled ? { kind: "settled", state: settled.state } : { kind: "cancelled" };
    }
    case "invoke": {
      const settled = await DBOS.runStep(() => current().invoke(run, op), { name: "invoke" });
      return "state" in settled ? { kind: "settled", state: settled.state } : { kind: "cancelled" };
    }
  }
}

async function callWithRetries(run: Run, memo: Memo, stepId: string, isBranch: boolean): Promise<Exclude<Turn, { kind: "retry" }>> {
  for (let attempt = 0; ; attempt += 1) {
    const id = JSON.stringify([run.id, stepId, memo.stack.length, attempt]);
    const turn = await DBOS.runStep(() => current().call(run, memo, { id, stepId, isBranch, attempt }), { name: "call" });
    current().noteRecorded(id);
    if (turn.kind !== "retry") return turn;
    const isDue = await DBOS.runStep(() => current().sleep(run, turn.atMs), { name: "backoff" });
    if (!isDue) return { kind: "cancelled" };
  }
}

/** Starts a run unless it was started before. */
export async function startRun(run: Run): Promise<void> {
  await DBOS.startWorkflow(runWorkflow, { workflowID: run.id })(run);
}

/** Launches DBOS and takes up every run that an earlier process left. */
export async function launchWorkflows(next: Runtime, databaseUrl: string, schema: string, log: EngineLog): Promise<void> {
  if (runtime) throw new Error("This process already runs an executor");
  runtime = next;
  DBOS.setConfig({
    name: APPLICATION_NAME,
    applicationVersion: APPLICATION_VERSION,
    executorID: EXECUTOR_ID,
    systemDatabaseUrl: databaseUrl,
    systemDatabaseSchemaName: workflowSchema(schema),
    runMigrations: false,
    useListenNotify: false,
    // Set by a statement of its own on every new connection otherwise; nothing here stays inside a transaction.
    systemDatabaseIdleTransactionTimeoutMs: 0,
    logger: adaptLog(log),
  });
  await DBOS.launch();
}

export async function shutDownWorkflows(): Promise<void> {
  isShuttingDown = true;
  try {
    await DBOS.shutdown();
  } finally {
    isShuttingDown = false;
    runtime = undefined;
  }
}

/** Removes runs that ended before the instant; resolves to their number. */
export async function purgeWorkflows(before: Date): Promise<number> {
  let removed = 0;
  for (;;) {
    const batch = await DBOS.listWorkflows({ status: [...FINISHED], completedBefore: before.toISOString(), limit: PURGE_BATCH, loadInput: false, loadOutput: false });
    if (batch.length === 0) return removed;
    await DBOS.deleteWorkflows(batch.map((workflow) => workflow.workflowID));
    removed += batch.filter((workflow) => workflow.workflowName === "run.v1").length;
  }
}

/** DBOS tells of every start and recovery, and at the end of every run that is parked; only what went wrong is worth a line of ours. */
function adaptLog(log: EngineLog): DLogger {
  const write = (level: "debug" | "warn" | "error") => (entry: unknown) => {
    const text = entry instanceof Error ? entry.message : String(entry);
    log[isShuttingDown ? "debug" : level](`Workflow library: ${text}`);
  };
  return { debug: write("debug"), info: write("debug"), warn: write("warn"), error: write("error") };
}
