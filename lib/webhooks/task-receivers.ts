import { type PushNotificationConfig } from "@a2a-js/sdk";
import { and, asc, eq, isNull } from "drizzle-orm";
import { type BuyerSession } from "../adcp/tool";
import { type Ctx } from "../context";
import { AppError } from "../errors";
import { loadTask } from "../media-buys/tasks";
import { parseReceiver, queueTaskWebhook, registerReceiver } from "./service";
import { pushNotificationConfigs } from "./schema";

/** Receivers that A2A clients set, read and take away by ids of their own. What they prove themselves with is never shown again. */

const FIELD = "pushNotificationConfig";

/** Throws VALIDATION_ERROR when the address may not be called, before anything is done for which somebody wants to be told there. */
export function checkTaskReceiver(config: Record<string, unknown>): void {
  parseReceiver(normalize(config), FIELD);
}

/** Sets or replaces the receiver of that id. A task that has ended meanwhile is told at once. Throws REFERENCE_NOT_FOUND, VALIDATION_ERROR. */
export async function setTaskReceiver(ctx: Ctx, session: BuyerSession, input: { taskId: string; clientId: string; config: Record<string, unknown> }): Promise<PushNotificationConfig> {
  const task = await loadTask(ctx, session, input.taskId);
  await archive(ctx, task.id, input.clientId);
  await registerReceiver(ctx, { principalId: session.principalId, taskId: task.id, mediaBuyId: task.mediaBuyId, clientId: input.clientId, config: normalize(input.config), field: FIELD });
  if (task.completedAt !== null) await queueTaskWebhook(ctx, { taskId: task.id });
  const [known] = (await readOf(ctx, task.id)).filter(({ id }) => id === input.clientId);
  return known ?? { id: input.clientId, url: String(input.config.url) };
}

/** Throws REFERENCE_NOT_FOUND for a task that is not this buyer's. */
export async function listTaskReceivers(ctx: Ctx, session: BuyerSession, taskId: string): Promise<PushNotificationConfig[]> {
  return readOf(ctx, (await loadTask(ctx, session, taskId)).id);
}

/** What was queued for it is still sent. Throws REFERENCE_NOT_FOUND. */
export async function removeTaskReceiver(ctx: Ctx, session: BuyerSession, input: { taskId: string; clientId: string }): Promise<void> {
  const task = await loadTask(ctx, session, input.taskId);
  if ((await archive(ctx, task.id, input.clientId)) === 0) throw new AppError("REFERENCE_NOT_FOUND", "The task has no such configuration.", { field: "pushNotificationConfigId" });
}

const current = (ctx: Ctx, taskId: string) => and(eq(pushNotificationConfigs.tenantId, ctx.tenantId), eq(pushNotificationConfigs.taskId, taskId), eq(pushNotificationConfigs.form, "a2a"), isNull(pushNotificationConfigs.archivedAt));

async function readOf(ctx: Ctx, taskId: string): Promise<PushNotificationConfig[]> {
  const rows = await ctx.db.select({ clientId: pushNotificationConfigs.clientId, url: pushNotificationConfigs.url, scheme: pushNotificationConfigs.authScheme }).from(pushNotificationConfigs)
    .where(current(ctx, taskId)).orderBy(asc(pushNotificationConfigs.createdAt), asc(pushNotificationConfigs.id));
  return rows.map(({ clientId, url, scheme }) => ({ ...(clientId === null ? {} : { id: clientId }), url, ...(scheme === null ? {} : { authentication: { schemes: [scheme] } }) }));
}

async function archive(ctx: Ctx, taskId: string, clientId: string): Promise<number> {
  const rows = await ctx.db.update(pushNotificationConfigs).set({ archivedAt: ctx.now }).where(and(current(ctx, taskId), eq(pushNotificationConfigs.clientId, clientId))).returning({ id: pushNotificationConfigs.id });
  return rows.length;
}

/** A2A writes schemes as HTTP does, in any case. */
function normalize(config: Record<string, unknown>): Record<string, unknown> {
  const { authentication } = config;
  if (typeof authentication !== "object" || authentication === null || !("schemes" in authentication) || !Array.isArray(authentication.schemes)) return config;
  return { ...config, authentication: { ...authentication, schemes: authentication.schemes.map((scheme) => (typeof scheme === "string" && scheme.toLowerCase() === "bearer" ? "Bearer" : scheme)) } };
}
