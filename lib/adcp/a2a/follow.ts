import { type Task, type TaskArtifactUpdateEvent, type TaskStatusUpdateEvent } from "@a2a-js/sdk";
import { withTenant } from "../../db/client";
import { subscribeToChanges } from "../../live-stream";
import { log } from "../../log";
import { contextOf, presentA2aStatus, presentA2aTask, presentOutcome } from "../../media-buys/a2a-task";
import { taskWireId } from "../../media-buys/task-id";
import { loadTask, type TaskRow } from "../../media-buys/tasks";
import { MINUTE_MS, SECOND_MS } from "../../time";
import { buyerActor } from "../buyer-actor";
import { type Caller, confirmCaller } from "../buyer-auth";
import { type BuyerSession } from "../tool";
import { toA2aError } from "./errors";

/** Notifications can be lost; the row is looked at this often anyway, and the token with it. */
const LOOK_EVERY_MS = 15 * SECOND_MS;
/** Then the client asks again: a decision can take days. */
const FOLLOWED_FOR_MS = 10 * MINUTE_MS;

type Buyer = Caller & { session: BuyerSession };

/** A task's state now, and each later one until it has ended. Ends early when the token does. */
export async function* followTask(request: Request, caller: Buyer, taskId: string): AsyncGenerator<Task | TaskArtifactUpdateEvent | TaskStatusUpdateEvent, void, undefined> {
  const { tenantId, session } = caller;
  const load = () => withTenant(tenantId, (db) => loadTask({ db, tenantId, actor: buyerActor(session), now: new Date(), log }, session, taskId));
  let seen = await load().catch((failure: unknown) => Promise.reject(toA2aError(failure)));
  const bell = createBell();
  const unsubscribe = await subscribeToChanges(tenantId, ({ topic, id }) => {
    if (topic === "reset" || id === seen.mediaBuyId) bell.ring();
  });
  const endsAt = Date.now() + FOLLOWED_FOR_MS;
  try {
    // Whatever happened before the subscription held is seen now.
    seen = await load();
    yield presentA2aTask(seen, { historyLength: 0 });
    while (seen.completedAt === null && Date.now() < endsAt) {
      await bell.wait(LOOK_EVERY_MS);
      await confirmCaller(request, caller);
      const current = await load();
      if (current.updatedAt.getTime() !== seen.updatedAt.getTime() || current.status !== seen.status) yield* changes(current);
      seen = current;
    }
  } catch (error) {
    log.info("A stream of a task ended early.", { error });
  } finally {
    unsubscribe();
  }
}

function* changes(task: TaskRow): Generator<TaskArtifactUpdateEvent | TaskStatusUpdateEvent, void, undefined> {
  const its = { taskId: taskWireId(task), contextId: contextOf(task) };
  const artifact = presentOutcome(task);
  if (artifact) yield { kind: "artifact-update", ...its, artifact, append: false, lastChunk: true };
  yield { kind: "status-update", ...its, status: presentA2aStatus(task), final: task.completedAt !== null };
}

/** `wait` ends with the next ring, or with one that came since the last wait, or after the time given. */
function createBell() {
  let hasRung = false;
  let wake = () => undefined as void;
  return {
    ring() {
      hasRung = true;
      wake();
    },
    async wait(timeoutMs: number): Promise<void> {
      if (!hasRung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      hasRung = false;
    },
  };
}
