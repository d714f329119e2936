import { expect, test } from "vitest";
import { settingsForm } from "./form";

const FIELDS = { version: "v1", isReviewRequired: "true", creativeReview: "all", decisionHours: "1.5", timeZone: "Europe/Berlin" };

test("boxes that are not ticked are off, and hours become minutes", () => {
  expect(settingsForm.parse(FIELDS)).toEqual({ version: "v1", timeZone: "Europe/Berlin", isReviewRequired: true, creativeReview: "all", isAdvertiserCreationAllowed: false, isOverbookingAllowed: false, decisionTimeMinutes: 90 });
  expect(settingsForm.parse({ ...FIELDS, isReviewRequired: "false", isOverbookingAllowed: "on" })).toMatchObject({ isReviewRequired: false, isOverbookingAllowed: true });
});

test.each([["", "Enter a number."], ["soon", "Enter a number."], ["0.1", "At least 15 minutes."], ["9999", "At most 30 days."]])("hours “%s” are refused in words", (decisionHours, message) => {
  expect(settingsForm.safeParse({ ...FIELDS, decisionHours }).error?.issues).toMatchObject([{ path: ["decisionTimeMinutes"], message }]);
});
