import { z } from "zod";
import { settingsChange } from "@/lib/tenants/settings";

/** Fields of the settings form: boxes that are not ticked are absent, and the time to decide is typed in hours. */
export const settingsForm = z.preprocess((form) => {
  if (typeof form !== "object" || form === null) return form;
  const { decisionHours, ...fields }: Record<string, unknown> = { ...form };
  return {
    ...fields,
    isReviewRequired: fields.isReviewRequired === "true",
    isAdvertiserCreationAllowed: fields.isAdvertiserCreationAllowed === "on",
    isOverbookingAllowed: fields.isOverbookingAllowed === "on",
    decisionTimeMinutes: typeof decisionHours === "string" && decisionHours.trim() !== "" ? Math.round(Number(decisionHours) * 60) : undefined,
  };
}, settingsChange);
