import { AdServerError, type AppliedObject, type OperationResult } from "../../types";
import { INVENTORY_CHOICES } from "../choices";
import { type GamClient } from "../client";

/** Answers of operations. */

export function done(client: GamClient, objects: AppliedObject[], note?: string): OperationResult {
  const externalIds = Object.fromEntries(objects.map(({ kind, ourKey, externalId }) => [`${kind}:${ourKey}`, externalId]));
  return { outcome: "done", objects, externalIds, ...trace(client), ...(note === undefined ? {} : { note }) };
}

export function wait(client: GamClient, reason: string): OperationResult {
  return { outcome: "wait", reason, ...trace(client) };
}

export function blocked(client: GamClient, code: string, reason: string, choices: { id: string; label: string }[]): OperationResult {
  return { outcome: "blocked", code, reason, choices, ...trace(client) };
}

function trace({ correlationId }: GamClient): { correlationId?: string } {
  return correlationId === undefined ? {} : { correlationId };
}

/** A forecast that is not ready is waited for; inventory that does not suffice is a person's decision. */
export async function withForecast(client: GamClient, work: () => Promise<OperationResult>): Promise<OperationResult> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AdServerError)) throw error;
    switch (error.code) {
      case "no_forecast_yet": return wait(client, "Google Ad Manager has no forecast for this inventory yet.");
      case "forecast_unavailable": return wait(client, "Google Ad Manager's forecast is not available at the moment.");
      case "not_enough_inventory": return blocked(client, "not_enough_inventory", "Google Ad Manager does not have enough inventory for this order.", INVENTORY_CHOICES);
      default: throw error;
    }
  }
}

/** A write whose answer does not show what was asked for: its effect is unknown until it is looked up. */
export function unexpectedAnswer(client: GamClient, what: string): AdServerError {
  return new AdServerError("unexpected_answer", `Google Ad Manager accepted the request, but its answer does not show ${what}.`, {
    isPermanent: false, isAmbiguous: true, retryAfterMs: 2_000, correlationId: client.correlationId,
  });
}

/** An action that was accepted and, read back, has no effect (yet). */
export function withoutEffect(client: GamClient, what: string): AdServerError {
  return new AdServerError("without_effect", `Google Ad Manager accepted the action, but ${what}.`, {
    isPermanent: false, isAmbiguous: false, retryAfterMs: 2_000, correlationId: client.correlationId,
  });
}

/** Staff archived in Ad Manager what we want to write: archived objects take no changes. */
export function archivedThere(what: string): AdServerError {
  return new AdServerError("archived", `${what} was archived in Google Ad Manager and takes no changes. Unarchive it there, then try again.`, { isPermanent: true, isAmbiguous: false });
}
