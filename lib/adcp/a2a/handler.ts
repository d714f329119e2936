import { type Message, type MessageSendParams, type PushNotificationConfig, type Task } from "@a2a-js/sdk";
import { A2AError, type A2ARequestHandler } from "@a2a-js/sdk/server";
import { randomUUID } from "node:crypto";
import { and, eq, isNull } from "drizzle-orm";
import { z } from "zod";
import { withdrawMediaBuy } from "../../approvals/withdraw";
import { hasScope, type Scope } from "../../buyers/scopes";
import { type Ctx } from "../../context";
import { withTenant } from "../../db/client";
import { AppError } from "../../errors";
import { log } from "../../log";
import { contextOf, presentA2aTask } from "../../media-buys/a2a-task";
import { tasks } from "../../media-buys/schema";
import { loadTask } from "../../media-buys/tasks";
import { checkTaskReceiver, listTaskReceivers, removeTaskReceiver, setTaskReceiver } from "../../webhooks/task-receivers";
import { buyerActor } from "../buyer-actor";
import { type Caller, type Identify, missingToken } from "../buyer-auth";
import { dispatch } from "../dispatch";
import { takeCall } from "../rate-limit";
import { findTool, visibleTools } from "../registry";
import { assertSignedChange } from "../signing-policy";
import { type BuyerSession } from "../tool";
import { presentCall, presentHelp } from "./answers";
import { agentCard } from "./card";
import { toA2aError, unauthorized, UNKNOWN } from "./errors";
import { followTask } from "./follow";
import { readInvocation } from "./invocation";

const part = z.discriminatedUnion("kind", [
  z.looseObject({ kind: z.literal("text"), text: z.string() }), z.looseObject({ kind: z.literal("data"), data: z.record(z.string(), z.unknown()) }), z.looseObject({ kind: z.literal("file") }),
]);
const sendParams = z.looseObject({
  message: z.looseObject({ messageId: z.string(), parts: z.array(part).min(1), contextId: z.string().min(1).max(200).optional(), taskId: z.string().optional() }),
  configuration: z.looseObject({ pushNotificationConfig: z.looseObject({ id: z.string().min(1).max(200).optional(), url: z.string() }).optional() }).optional(),
});
type Receiver = { id?: string } & Record<string, unknown>;
const taskParams = z.looseObject({ id: z.string(), historyLength: z.number().int().min(0).optional() });
const configParams = z.looseObject({ id: z.string(), pushNotificationConfigId: z.string().optional() });
const setParams = z.looseObject({ taskId: z.string(), pushNotificationConfig: z.looseObject({ id: z.string().min(1).max(200).optional(), url: z.string() }) });

/** A2A's methods for one request. Nothing is kept between requests but what is in Postgres; every process answers alike. */
export function createA2aHandler(request: Request, identify: Identify): A2ARequestHandler {
  const sendMessage = (params: MessageSendParams) => guarded(() => answerMessage(params, identify));
  return {
    getAgentCard: () => guarded(async () => agentCard(await identify())),
    getAuthenticatedExtendedAgentCard: () => guarded(async () => agentCard(await identifyBuyer(identify))),
    sendMessage,
    async *sendMessageStream(params) {
      yield* streamOf(await sendMessage(params));
    },
    getTask: (params) => guarded(async () => {
      const { id, historyLength = 0 } = parse(taskParams, params);
      const caller = await identifyBuyer(identify, "orders:read");
      return presentA2aTask(await inTenant(caller, (ctx) => loadTask(ctx, caller.session, id)), { historyLength });
    }),
    cancelTask: (params) => guarded(async () => {
      const { id } = parse(taskParams, params);
      const caller = await identifyBuyer(identify, "orders:write");
      assertSignedChange(caller, {});
      await takeCall(caller.session, "tasks/cancel", "write", caller.rateLimits);
      return presentA2aTask(await inTenant(caller, (ctx) => withdrawMediaBuy(ctx, caller.session, { taskId: id })), { historyLength: 0 });
    }),
    setTaskPushNotificationConfig: (params) => guarded(async () => {
      const { taskId, pushNotificationConfig: config } = parse(setParams, params);
      const caller = await identifyBuyer(identify, "orders:write");
      assertSignedChange(caller, params);
      await takeCall(caller.session, "tasks/pushNotificationConfig/set", "write", caller.rateLimits);
      const known = await inTenant(caller, (ctx) => setTaskReceiver(ctx, caller.session, { taskId, clientId: config.id ?? taskId, config }));
      return { taskId, pushNotificationConfig: known };
    }),
    getTaskPushNotificationConfig: (params) => guarded(async () => {
      const { id, pushNotificationConfigId } = parse(configParams, params);
      const [config] = (await readReceivers(identify, id)).filter((known) => pushNotificationConfigId === undefined || known.id === pushNotificationConfigId);
      if (!config) throw new AppError("REFERENCE_NOT_FOUND", "The task has no such configuration.", { field: "pushNotificationConfigId" });
      return { taskId: id, pushNotificationConfig: config };
    }),
    listTaskPushNotificationConfigs: (params) => guarded(async () => {
      const { id } = parse(configParams, params);
      return (await readReceivers(identify, id)).map((config) => ({ taskId: id, pushNotificationConfig: config }));
    }),
    deleteTaskPushNotificationConfig: (params) => guarded(async () => {
      const { id, pushNotificationConfigId } = parse(configParams, params);
      const caller = await identifyBuyer(identify, "orders:write");
      assertSignedChange(caller, {});
      await inTenant(caller, (ctx) => removeTaskReceiver(ctx, caller.session, { taskId: id, clientId: pushNotificationConfigId ?? id }));
    }),
    async *resubscribe(params) {
      const { id } = parse(taskParams, params);
      const caller = await guarded(() => identifyBuyer(identify, "orders:read"));
      yield* followTask(request, caller, id);
    },
  };
}

/** Answers come in milliseconds, so the stream of a call is its answer in A2A's steps. */
function* streamOf(answer: Message | Task) {
  if (answer.kind === "message") {
    yield answer;
    return;
  }
  const { id: taskId, contextId, status, artifacts = [] } = answer;
  yield { kind: "task", id: taskId, contextId, status: { state: "working", timestamp: status.timestamp } } satisfies Task;
  for (const artifact of artifacts) yield { kind: "artifact-update", taskId, contextId, artifact, append: false, lastChunk: true } as const;
  yield { kind: "status-update", taskId, contextId, status, final: true } as const;
}

async function answerMessage(params: unknown, identify: Identify): Promise<Message | Task> {
  const { message, configuration } = parse(sendParams, params);
  const { session } = await identify();
  const contextId = message.contextId ?? (message.taskId === undefined ? randomUUID() : await readContext(identify, message.taskId));
  const invocation = readInvocation(message.parts);
  if (!invocation) return presentHelp(visibleTools(session), contextId);
  const tool = await findTool(invocation.skill, identify);
  if (!tool) throw new A2AError(UNKNOWN, "Unknown skill.");
  const receiver = configuration?.pushNotificationConfig;
  if (receiver) {
    assertSignedChange(await identify(), { pushNotificationConfig: receiver });
    checkTaskReceiver(receiver);
  }
  const reply = await dispatch(tool, invocation.input, identify, "a2a");
  if (reply.error?.code === "AUTH_REQUIRED") throw unauthorized(reply);
  const task = presentCall(reply, contextId);
  if (session && task.metadata?.adcp_task_id !== undefined) await noteSubmission({ ...(await identify()), session }, task, receiver);
  return task;
}

/** A task that a message continues must be the buyer's own. */
async function readContext(identify: Identify, taskId: string): Promise<string> {
  const caller = await identifyBuyer(identify, "orders:read");
  return contextOf(await inTenant(caller, (ctx) => loadTask(ctx, caller.session, taskId)));
}

/** An order that was submitted belongs to the conversation it came from, and whoever asked to be told of it is. */
function noteSubmission(caller: Buyer, { id, contextId }: Task, receiver: Receiver | undefined): Promise<void> {
  return inTenant(caller, async (ctx) => {
    const task = await loadTask(ctx, caller.session, id);
    await ctx.db.update(tasks).set({ contextId }).where(and(eq(tasks.tenantId, ctx.tenantId), eq(tasks.id, task.id), isNull(tasks.contextId)));
    if (receiver) await setTaskReceiver(ctx, caller.session, { taskId: id, clientId: receiver.id ?? id, config: receiver });
  });
}

type Buyer = Caller & { session: BuyerSession };

/** @param scope what the token must allow */
async function identifyBuyer(identify: Identify, scope?: Scope): Promise<Buyer> {
  const { session, ...caller } = await identify();
  if (!session) throw missingToken();
  if (scope && !hasScope(session.scopes, scope)) throw new AppError("PERMISSION_DENIED", "This token does not allow that.", { suggestion: "Ask the publisher for a token that does." });
  return { ...caller, session };
}

async function readReceivers(identify: Identify, taskId: string): Promise<PushNotificationConfig[]> {
  const caller = await identifyBuyer(identify, "orders:read");
  return inTenant(caller, (ctx) => listTaskReceivers(ctx, caller.session, taskId));
}

function inTenant<T>({ tenantId, session }: Buyer, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  return withTenant(tenantId, (db) => work({ db, tenantId, actor: buyerActor(session), now: new Date(), log }));
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (failure) {
    throw toA2aError(failure);
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, params: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError("INVALID_REQUEST", `The parameters do not fit: ${issue?.message ?? "unreadable"}.`, { field: issue?.path.join(".") || "params" });
}
