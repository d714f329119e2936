"use server";

import { z } from "zod";
import { loadConnection } from "@/lib/ad-servers/connection-queries";
import { archiveConnection, saveConnection } from "@/lib/ad-servers/connections";
import { adminAction } from "@/lib/auth/action";
import { requestSyncJob } from "@/lib/sync-jobs/service";
import { connectionForm } from "./form";

export const saveConnectionAction = adminAction("connection.edit", connectionForm, async (ctx, { credentialsFile, config, ...input }, publisher) => {
  const credentials = credentialsFile && credentialsFile.size > 0 ? await credentialsFile.text() : input.credentials;
  // The form shows the common settings; the others stay as they are.
  const stored = input.id === undefined ? {} : (await loadConnection(ctx, input.id)).config;
  const { traffickerId: _replaced, ...kept } = stored;
  const saved = await saveConnection(ctx, { ...input, credentials, config: { ...kept, ...config } });
  const message = saved.testJobId ? "Saved. The connection is being tested." : "Saved.";
  return input.id === undefined ? { message, redirectTo: `/p/${publisher}/connections/${saved.id}` } : { message };
});

const one = z.strictObject({ id: z.uuid() });

export const archiveConnectionAction = adminAction("connection.edit", one, async (ctx, { id }, publisher) => {
  await archiveConnection(ctx, { id });
  return { message: "The connection is archived.", redirectTo: `/p/${publisher}/connections` };
});

export const testConnectionAction = adminAction("inventory.sync", one, async (ctx, { id }) => {
  await requestSyncJob(ctx, { adapterConfigId: id, kind: "connection_test" });
  return { message: "The test is queued." };
});

export const syncInventoryAction = adminAction("inventory.sync", one, async (ctx, { id }) => {
  await requestSyncJob(ctx, { adapterConfigId: id, kind: "inventory" });
  return { message: "The inventory sync is queued." };
});
