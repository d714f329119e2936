import type { Call } from "../call";
import { ApiError } from "../errors";
import { textOf } from "../json";
import type { Row } from "../table";

export interface InventoryCheck {
  canOverbook: boolean;
  isSkipped: boolean;
}

/** Only these types reserve inventory, so only these meet the forecast. */
export function reservesInventory(row: Row): boolean {
  const type = textOf(row.resource, "lineItemType");
  return type === "SPONSORSHIP" || type === "STANDARD";
}

/** The forecast has room unless a fault says otherwise. */
export function checkInventory(call: Call, lineItems: readonly Row[], { canOverbook, isSkipped }: InventoryCheck): void {
  const first = lineItems.find(reservesInventory);
  if (!first || isSkipped) return;
  if (call.faults.take("noForecastYet")) {
    throw forecastError(first.name, "FORECASTING_ERROR_NO_FORECAST_YET", "No forecast is available for this line item yet.");
  }
  if (!canOverbook && call.faults.take("notEnoughInventory")) {
    throw forecastError(first.name, "FORECASTING_ERROR_NOT_ENOUGH_INVENTORY", "There is not enough available inventory.");
  }
}

function forecastError(field: string, reason: string, description: string): ApiError {
  return new ApiError("INVALID_ARGUMENT", description, { violations: [{ field, description, reason }] });
}
