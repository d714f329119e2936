"use server";

import { z } from "zod";
import { adminAction } from "@/lib/auth/action";
import { saveSettings, saveStaffWebhook, sendStaffTestMessage } from "@/lib/tenants/settings";
import { settingsForm } from "./form";

export const saveSettingsAction = adminAction("settings.edit", settingsForm, async (ctx, input) => {
  await saveSettings(ctx, input);
  return { message: "The settings are saved." };
});

/** The hint that the form was opened on; empty for none. */
const seen = z.string().transform((hint) => hint || null);

export const saveStaffWebhookAction = adminAction("settings.edit", z.strictObject({ url: z.string().trim().min(1, "Enter the webhook's address."), seen }), async (ctx, input) => {
  await saveStaffWebhook(ctx, input);
  return { message: "The address is stored. Send a test message to see that it works." };
});

export const removeStaffWebhookAction = adminAction("settings.edit", z.strictObject({ seen }), async (ctx, input) => {
  await saveStaffWebhook(ctx, { ...input, url: null });
  return { message: "The staff webhook is removed." };
});

export const sendStaffTestAction = adminAction("settings.edit", z.strictObject({}), async (ctx) => {
  await sendStaffTestMessage(ctx);
  return { message: "The test message is on its way." };
});
