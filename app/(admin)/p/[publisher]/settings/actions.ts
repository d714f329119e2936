"use server";

import { z } from "zod";
import { adminAction } from "@/lib/auth/action";
import { saveSettings, saveStaffWebhook, sendStaffTestMessage } from "@/lib/tenants/settings";
import { settingsForm } from "./form";

export const saveSettingsAction = adminAction("settings.edit", settingsForm, async (ctx, input) => {
  await saveSettings(ctx, input);
  return { message: "The settings are saved." };
});

export const saveStaffWebhookAction = adminAction("settings.edit", z.strictObject({ url: z.string().trim().min(1, "Enter the webhook's address.") }), async (ctx, { url }) => {
  await saveStaffWebhook(ctx, { url });
  return { message: "The address is stored. Send a test message to see that it works." };
});

export const removeStaffWebhookAction = adminAction("settings.edit", z.strictObject({}), async (ctx) => {
  await saveStaffWebhook(ctx, { url: null });
  return { message: "The staff webhook is removed." };
});

export const sendStaffTestAction = adminAction("settings.edit", z.strictObject({}), async (ctx) => {
  await sendStaffTestMessage(ctx);
  return { message: "The test message is on its way." };
});
