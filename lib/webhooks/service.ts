import { randomUUID } from "node:crypto";
import { and, eq, isNull } from "drizzle-orm";
import { z } from "zod";
import { recordAudit } from "../audit/service";
import { requirePermission } from "../auth/permissions";
import { type Ctx } from "../context";
import { encryptSecret } from "../crypto";
import { env } from "../env";
import { AppError, invariant } from "../errors";
import { enqueueEvents } from "../events/outbox";
import { isUuid, newId } from "../ids";
import { announceChange } from "../live";
import { presentA2aTask } from "../media-buys/a2a-task";
import { tasks } from "../media-buys/schema";
import { taskWireId } from "../media-buys/task-id";
import { type TaskRow } from "../media-buys/tasks";
import { tenants } from "../tenants/schema";
import { checkReceiverUrl } from "./address";
import { pushNotificationConfigs, type RECEIVER_PURPOSES, webhookDeliveries } from "./schema";

/** core/push-notification-config.json, and `operation_id` as 3.1 has it. */
const receiverSchema = z.looseObject({
  url: z.string(),
  operation_id: z.string().min(1).max(255).optional(),
  token: z.string().min(16).max(4_096).optional(),
  authentication: z.looseObject({ schemes: z.array(z.enum(["Bearer", "HMAC-SHA256"])).length(1), credentials: z.string().min(32).max(4_096) }).optional(),
});

export const receiverSecrets = (tenantId: string, configId: string) => `push_notification_configs:${tenantId}:${configId}`;

export type ReceiverInput = {
  principalId: string;
  taskId?: string | null;
  mediaBuyId?: string | null;
  accountId?: string;
  purpose?: (typeof RECEIVER_PURPOSES)[number];
  /** For receivers of A2A clients: told in A2A's form. */
  clientId?: string;
  config: unknown;
  /** Where in the request the configuration stands. */
  field?: string;
};

/** Throws VALIDATION_ERROR when the configuration is not valid or the address may not be called. */
export function parseReceiver(config: unknown, field: string): z.infer<typeof receiverSchema> {
  const parsed = receiverSchema.safeParse(config);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new AppError("VALIDATION_ERROR", `The webhook configuration is not valid: ${issue?.message ?? "unreadable"}.`, { field: [field, ...(issue?.path ?? [])].join(".") });
  }
  checkReceiverUrl(parsed.data.url, `${field}.url`);
  return parsed.data;
}

/** Notes where a buyer wants to hear of something. Throws VALIDATION_ERROR when the address may not be called. */
export async function registerReceiver(ctx: Ctx, input: ReceiverInput): Promise<{ id: string }> {
  const { url, operation_id: operationId, token, authentication } = parseReceiver(input.config, input.field ?? "push_notification_config");
  const id = newId(ctx.now.getTime());
  const seal = (text: string | undefined) => (text === undefined ? null : encryptSecret(text, receiverSecrets(ctx.tenantId, id)));
  await ctx.db.insert(pushNotificationConfigs).values({
    tenantId: ctx.tenantId, id, principalId: input.principalId, taskId: input.taskId ?? null, mediaBuyId: input.mediaBuyId ?? null, accountId: input.accountId ?? null,
    purpose: input.purpose ?? "task", form: input.clientId === undefined ? "adcp" : "a2a", clientId: input.clientId ?? null, url, operationId: operationId ?? null, createdAt: ctx.now,
    tokenEncrypted: seal(token), authScheme: authentication?.schemes[0] ?? null, credentialsEncrypted: seal(authentication?.credentials),
  });
  return { id };
}

type Delivery = typeof webhookDeliveries.$inferInsert;

/** Stores deliveries and the events that start them, in the transaction of what they tell. A second one of the same event and receiver is dropped. Answers how many are new. */
async function queue(ctx: Ctx, deliveries: Delivery[]): Promise<number> {
  if (deliveries.length === 0) return 0;
  const stored = await ctx.db.insert(webhookDeliveries).values(deliveries).onConflictDoNothing({ target: [webhookDeliveries.tenantId, webhookDeliveries.configId, webhookDeliveries.eventKey] })
    .returning({ id: webhookDeliveries.id });
  await enqueueDeliveries(ctx, stored.map(({ id }) => ({ id, why: "first" })));
  return stored.length;
}

export async function enqueueDeliveries(ctx: Ctx, deliveries: { id: string; why: string }[]): Promise<void> {
  await enqueueEvents(ctx, "greenlight/webhook.queued", deliveries.map(({ id, why }) => ({ eventId: `webhook.queued:${id}:${why}`, data: { tenantId: ctx.tenantId, deliveryId: id } })));
}

const newKey = () => `whk_${randomUUID()}`;

/** Tells every receiver of a task where it stands now (core/mcp-webhook-payload.json). Called in the transaction that moved it. */
export async function queueTaskWebhook(ctx: Ctx, input: { taskId: string }): Promise<void> {
  const [task] = await ctx.db.select().from(tasks).where(and(eq(tasks.tenantId, ctx.tenantId), eq(tasks.id, input.taskId)));
  invariant(task, `no task ${input.taskId}`);
  const receivers = await ctx.db.select({ id: pushNotificationConfigs.id, operationId: pushNotificationConfigs.operationId, form: pushNotificationConfigs.form }).from(pushNotificationConfigs)
    .where(and(eq(pushNotificationConfigs.tenantId, ctx.tenantId), eq(pushNotificationConfigs.taskId, task.id), isNull(pushNotificationConfigs.archivedAt)));
  await queue(ctx, receivers.map((receiver) => {
    const idempotencyKey = newKey();
    const operationId = receiver.operationId ?? taskWireId(task);
    return {
      tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), audience: "buyer", configId: receiver.id, mediaBuyId: task.mediaBuyId, taskId: task.id,
      eventKey: `task:${task.id}:${task.status}`, idempotencyKey, nextAttemptAt: ctx.now, createdAt: ctx.now,
      body: receiver.form === "a2a" ? { ...presentA2aTask(task, { historyLength: 0 }), metadata: { task_type: task.taskType, idempotency_key: idempotencyKey, operation_id: operationId } } : presentTaskWebhook(ctx, task, idempotencyKey, operationId),
    };
  }));
}

/** 3.1 requires an `operation_id`: the buyer's, or else the task's own id, which stays the same too. */
function presentTaskWebhook(ctx: Ctx, task: TaskRow, idempotencyKey: string, operationId: string): Record<string, unknown> {
  const context = task.buyerContext ? { context: task.buyerContext } : {};
  const result = task.result ?? (task.error ? { errors: [task.error] } : undefined);
  return {
    idempotency_key: idempotencyKey,
    operation_id: operationId,
    task_id: taskWireId(task),
    task_type: task.taskType,
    protocol: "media-buy",
    status: task.status,
    timestamp: ctx.now.toISOString(),
    ...(task.message === null ? {} : { message: task.message }),
    ...context,
    ...(result === undefined ? {} : { result: { ...result, ...context } }),
  };
}

export type Webhook = { configId: string; mediaBuyId: string | null; eventKey: string; /** Wire id of what is told of, where there is no task. */ taskId: string; taskType: string; result: Record<string, unknown> };

/** Queues what is no task's for one receiver, in the form of core/mcp-webhook-payload.json. False: this event was queued before. */
export async function queueWebhook(ctx: Ctx, input: Webhook): Promise<boolean> {
  const [receiver] = await ctx.db.select({ operationId: pushNotificationConfigs.operationId }).from(pushNotificationConfigs).where(and(eq(pushNotificationConfigs.tenantId, ctx.tenantId), eq(pushNotificationConfigs.id, input.configId)));
  invariant(receiver, `no receiver ${input.configId}`);
  const idempotencyKey = newKey();
  const queued = await queue(ctx, [{
    tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), audience: "buyer", configId: input.configId, mediaBuyId: input.mediaBuyId, eventKey: input.eventKey, idempotencyKey, nextAttemptAt: ctx.now, createdAt: ctx.now,
    body: {
      idempotency_key: idempotencyKey, operation_id: receiver.operationId ?? input.taskId, task_id: input.taskId, task_type: input.taskType, protocol: "media-buy", status: "completed",
      // 3.1 asks for the task's status inside of the result too, as answers have it.
      timestamp: ctx.now.toISOString(), result: { status: "completed", ...input.result },
    },
  }]);
  return queued > 0;
}

const escapeSlack = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * Tells staff, where the publisher has named an address for that, that something waits for them. `path` is the screen's, such as
 * `/p/acme/media-buys/…`. The same `eventKey` tells them once.
 */
export async function queueStaffNotice(ctx: Ctx, input: { eventKey: string; title: string; text: string; path: string; mediaBuyId: string | null }): Promise<void> {
  const [tenant] = await ctx.db.select({ webhook: tenants.staffWebhookEncrypted }).from(tenants).where(eq(tenants.id, ctx.tenantId));
  if (!tenant?.webhook) return;
  const link = `<${env().publicUrl}${input.path}|Open in Greenlight>`;
  await queue(ctx, [{
    tenantId: ctx.tenantId, id: newId(ctx.now.getTime()), audience: "staff", configId: null, mediaBuyId: input.mediaBuyId, eventKey: input.eventKey, idempotencyKey: newKey(),
    nextAttemptAt: ctx.now, createdAt: ctx.now,
    body: {
      text: `${escapeSlack(input.title)}: ${escapeSlack(input.text)}`,
      blocks: [
        { type: "section", text: { type: "mrkdwn", text: `*${escapeSlack(input.title)}*\n${escapeSlack(input.text)}` } },
        { type: "section", text: { type: "mrkdwn", text: link } },
      ],
    },
  }]);
}

/** Sends a delivery again from the screen, with the body and idempotency key it always had. Throws REFERENCE_NOT_FOUND, CONFLICT. */
export async function replayDelivery(ctx: Ctx, input: { deliveryId: string }): Promise<void> {
  requirePermission(ctx.actor, "webhook.replay");
  const its = and(eq(webhookDeliveries.tenantId, ctx.tenantId), eq(webhookDeliveries.id, input.deliveryId));
  const [row] = isUuid(input.deliveryId) ? await ctx.db.select({ state: webhookDeliveries.state, body: webhookDeliveries.body, mediaBuyId: webhookDeliveries.mediaBuyId }).from(webhookDeliveries).where(its).for("update") : [];
  if (!row) throw new AppError("REFERENCE_NOT_FOUND", "This delivery does not exist.");
  if (row.state === "pending") throw new AppError("CONFLICT", "This delivery is still being tried.");
  if (Object.keys(row.body).length === 0) throw new AppError("CONFLICT", "What this notification said is no longer kept: it cannot be sent again.");
  await ctx.db.update(webhookDeliveries).set({ state: "pending", attempts: 0, nextAttemptAt: ctx.now, deliveredAt: null }).where(its);
  await enqueueDeliveries(ctx, [{ id: input.deliveryId, why: `replay:${newId(ctx.now.getTime())}` }]);
  await recordAudit(ctx, { action: "webhook.replayed", objectKind: "webhook_delivery", objectId: input.deliveryId, mediaBuyId: row.mediaBuyId ?? undefined, summary: "Sent a notification again" });
  if (row.mediaBuyId) announceChange(ctx, "media_buy", row.mediaBuyId);
}
